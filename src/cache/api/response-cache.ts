import { Injectable, Logger } from '@nestjs/common';
import { ProblemException } from '../../http/index.js';
import { Clock } from '../clock.js';
import { responseAddress } from '../engine/addresses.js';
import { SingleFlight } from '../engine/single-flight.js';
import { CacheEvents } from '../events.js';
import { MemoryLevel } from '../levels/l1/memory-level.js';
import { PolicySource } from '../policy-source.js';
import { layerResult, step } from '../steps.js';
import { type Ask } from './ask.js';
import { type Handler, hitOf, type Outcome } from './outcome.js';
import { type Found, ResponseLevels } from './response-levels.js';
import { ResponseMaker } from './response-maker.js';
import { renewalBudget } from './semantics/renewal-budget.js';
import { anyAnswer } from './semantics/request-terms.js';
import { judge, type Reuse } from './semantics/reuse.js';

/** The api layer: whole responses through L1 and L2; what a response depends on is collected while its handler runs. */
@Injectable()
export class ResponseCache {
  readonly #logger = new Logger('Cache');
  readonly #renewals = renewalBudget();
  readonly #flights: SingleFlight<Outcome>;

  constructor(
    private readonly levels: ResponseLevels,
    private readonly maker: ResponseMaker,
    private readonly l1: MemoryLevel,
    private readonly policySource: PolicySource,
    private readonly clock: Clock,
    events: CacheEvents,
  ) {
    this.#flights = new SingleFlight(() => events.emit({ type: 'joined' }));
  }

  respond(ask: Ask, handler: Handler): Promise<Outcome> {
    const layer = { name: 'layer', layer: 'api', key: ask.key } as const;
    return step({ ...layer, resultOf: ({ api }) => layerResult(api) }, () => this.#respond(ask, handler));
  }

  async #respond(asked: Ask, handler: Handler): Promise<Outcome> {
    let ask = asked.terms.noCache && !this.#mayRenew(asked) ? { ...asked, terms: anyAnswer } : asked;
    const known = ask.terms.noCache ? undefined : this.levels.inL1(ask);
    if (known) {
      const reuse = this.#judge(known, ask, handler);
      if (isUsed(reuse)) return this.#use(ask, handler, known, reuse);
      if (reuse === 'asked') ask = renewing(ask);
    }
    if (ask.terms.onlyIfCached) return this.#ifCached(ask, handler);
    const { result, joined } = this.#fly(ask, handler);
    const outcome = await result;
    if (joined && !outcome.fits(ask)) return this.#misfit(ask, handler, outcome);
    if (!outcome.api.hit)
      return joined ? { ...outcome, api: { ...outcome.api, stored: false, collapsed: true } } : outcome;
    if (outcome.api.ttlMs <= 0) this.#refresh(ask, handler);
    return outcome;
  }

  /** Runs a handler without keeping its response. */
  bypass(handler: Handler, detail: 'disabled' | 'uncacheable'): Promise<Outcome> {
    return this.maker.bypass(handler, detail);
  }

  /** It waited for an answer that is not for it: for its own variant it asks again, of anything else it makes its own. */
  #misfit(ask: Ask, handler: Handler, { api }: Outcome): Promise<Outcome> {
    return api.hit || api.stored ? this.respond(ask, handler) : this.maker.bypass(handler, 'uncacheable');
  }

  #fly(ask: Ask, handler: Handler): { readonly result: Promise<Outcome>; readonly joined: boolean } {
    const renew = ask.terms.noCache;
    let early!: (outcome: Outcome) => void;
    const first = new Promise<Outcome>((resolve) => (early = resolve));
    const { result, joined } = this.#flights.run(flightOf(ask), async (depart) => {
      const known = renew ? undefined : this.levels.inL1(ask);
      if (known && isUsed(this.#judge(known, ask, handler))) return this.#hit(ask, known);
      const placeholder = this.l1.take(responseAddress(ask.key));
      if (!renew) this.levels.count('l1', placeholder ? 'miss' : 'bypass');
      try {
        depart();
        const usable = (found: Found) => isUsed(this.#judge(found, ask, handler));
        const confirmed = placeholder && !renew && (await this.levels.confirmed(ask, placeholder, usable));
        if (confirmed) return this.#hit(ask, confirmed);
        const search = await this.levels.inL2(ask, placeholder, renew && ask.route.reads === 'entities');
        const reuse = search.found && this.#judge(search.found, ask, handler);
        if (search.found && isUsed(reuse)) {
          this.levels.keepHit(search.found, placeholder);
          return this.#hit(ask, search.found);
        }
        if (search.found) this.levels.count('l2', 'miss');
        const renewed = renew || reuse === 'asked';
        return await this.maker.make({ ask, handler, search, placeholder, renew: renewed, early });
      } finally {
        if (placeholder) this.l1.abandon(placeholder);
      }
    });
    return { result: joined ? result : Promise.race([first, result]), joined };
  }

  /** Stale-while-revalidate (RFC 5861). */
  #refresh(ask: Ask, handler: Handler): void {
    this.#fly(renewing({ ...ask, terms: anyAnswer }), handler).result.catch((error: Error) =>
      this.#logger.debug(`a refresh failed: ${error.message}`),
    );
  }

  /** Request `only-if-cached` (RFC 9111, 5.2.1.7). */
  async #ifCached(ask: Ask, handler: Handler): Promise<Outcome> {
    const { found } = await this.levels.inL2(ask, undefined, false);
    if (found && isUsed(this.#judge(found, ask, handler))) return this.#hit(ask, found);
    const error = new ProblemException(504, 'This is not in the cache, and nothing else was asked for.');
    const api = { hit: false, forward: 'uri-miss', stored: false, collapsed: false, policy: undefined } as const;
    return { error, api: { ...api, detail: 'request' }, tags: [], fits: () => false };
  }

  #use(ask: Ask, handler: Handler, found: Found, reuse: Reuse): Outcome {
    if (reuse === 'renewed') this.#refresh(ask, handler);
    return this.#hit(ask, found);
  }

  #hit(ask: Ask, found: Found): Outcome {
    this.levels.count(found.level, found.entry.freshMs > 0 ? 'hit' : 'stale');
    return hitOf(ask, found, this.policySource);
  }

  /** What a request for a younger answer may not have for itself, it gets like any other request. */
  #judge({ candidate }: Found, ask: Ask, { head }: Handler): Reuse {
    const reuse = judge(candidate, ask.terms);
    // Renewed behind an answer, it would be judged without the head that somebody waits for.
    if (reuse === 'renewed' && head?.isWatched()) return 'stale';
    if (reuse !== 'asked' || ask.terms.noCache || this.#mayRenew(ask)) return reuse;
    return judge(candidate, anyAnswer);
  }

  #mayRenew({ key }: Ask): boolean {
    return this.#renewals.take(key, this.clock.monotonicMs()) === 0;
  }
}

const isUsed = (reuse: Reuse | undefined): boolean => reuse === 'served' || reuse === 'renewed';

const renewing = (ask: Ask): Ask => ({ ...ask, terms: { ...ask.terms, noCache: true } });

/** Requests that want different things of one key do not wait for each other. */
function flightOf({ key, terms }: Ask): string {
  const { noCache, maxAgeS, minFreshS, maxStaleS } = terms;
  if (noCache) return `renew ${key}`;
  const wishes = [maxAgeS, minFreshS, maxStaleS];
  return wishes.every((wish) => wish === undefined) ? key : `${wishes.join()} ${key}`;
}
