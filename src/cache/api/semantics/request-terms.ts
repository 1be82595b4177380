import { deltaSeconds, parseDirectives } from './directives.js';
import { type Fields, field } from './fields.js';

/** What a request says about the reuse of stored responses (RFC 9111, 5.2.1). All in seconds. */
export interface RequestTerms {
  readonly noCache: boolean;
  readonly noStore: boolean;
  readonly onlyIfCached: boolean;
  readonly maxAgeS: number | undefined;
  readonly minFreshS: number | undefined;
  /** Infinity where it has no argument. */
  readonly maxStaleS: number | undefined;
}

/** `Pragma: no-cache` counts where there is no `Cache-Control` (5.4). A `max-age` that is no number asks for age 0. */
export function requestTerms(fields: Fields): RequestTerms {
  const directives = parseDirectives(field(fields, 'cache-control') ?? field(fields, 'pragma'));
  const maxStale = directives.get('max-stale');
  return {
    noCache: directives.has('no-cache'),
    noStore: directives.has('no-store'),
    onlyIfCached: directives.has('only-if-cached'),
    maxAgeS: directives.has('max-age') ? (deltaSeconds(directives.get('max-age')) ?? 0) : undefined,
    minFreshS: deltaSeconds(directives.get('min-fresh')),
    maxStaleS: maxStale === true ? Infinity : deltaSeconds(maxStale),
  };
}

/** A request that asks for nothing in particular. */
export const anyAnswer: RequestTerms = requestTerms({});
