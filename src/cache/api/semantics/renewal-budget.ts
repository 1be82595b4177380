import { TokenBuckets } from '../../../http/index.js';

/** How many times a second one node honours the wish for a renewed answer of one key, and how many at once. */
export const renewalsPerSecond = 10;

const keys = 10_000;

/**
 * How often clients may have one key made anew. Request `no-cache` and `max-age` are honoured (RFC 9111, 5.2.1), but a flood
 * of them must not become a way round the cache: what is beyond the budget is answered like a request that asked for nothing
 * in particular, from what was renewed a tenth of a second ago.
 */
export const renewalBudget = (): TokenBuckets => new TokenBuckets(renewalsPerSecond, 1_000, keys);
