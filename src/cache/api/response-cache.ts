import { Injectable, Logger } from '@nestjs/common';
import { ProblemException } from '../../http/index.js';
import { Clock } from '../clock.js';
import { responseAddress } from '../engine/addresses.js';
import { SingleFlight } from '../engine/single-flight.js';
import { CacheEvents } from '../events.js';
import { MemoryLevel } from '../levels/l1/memory-level.js';
import { PolicySource } from '../policy-source.js';
import { layerResult, step } from '../steps.js';
import { type CacheRequest } from './cache-request.js';
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

  respond(request: CacheRequest, handler: Handler): Promise<Outcome> {
    const layer = { name: 'layer', layer: 'api', key: request.key } as const;
    return step({ ...layer, resultOf: ({ api }) => layerResult(api) }, () => this.#respond(request, handler));
  }

  async #respond(asked: CacheRequest, handler: Handler): Promise<Outcome> {
    let request = asked.terms.noCache && !this.#mayRenew(asked) ? { ...asked, terms: anyAnswer } : asked;
    const known = request.terms.noCache ? undefined : this.levels.inL1(request);
    if (known) {
      const reuse = this.#judge(known, request, handler);
      if (isUsed(reuse)) return this.#use(request, handler, known, reuse);
      if (reuse === 'asked') request = renewing(request);
    }
    if (request.terms.onlyIfCached) return this.#ifCached(request, handler);
    const { result, joined } = this.#fly(request, handler);
    const outcome = await result;
    if (joined && !outcome.fits(request)) return this.#misfit(request, handler, outcome);
    if (!outcome.api.hit)
      return joined ? { ...outcome, api: { ...outcome.api, stored: false, collapsed: true } } : outcome;
    if (outcome.api.ttlMs <= 0) this.#refresh(request, handler);
    return outcome;
  }

  /** Runs a handler without keeping its response. */
  bypass(handler: Handler, detail: 'disabled' | 'uncacheable'): Promise<Outcome> {
    return this.maker.bypass(handler, detail);
  }

  /** It waited for an answer that is not for it: for its own variant it asks again, of anything else it makes its own. */
  #misfit(request: CacheRequest, handler: Handler, { api }: Outcome): Promise<Outcome> {
    return api.hit || api.stored ? this.respond(request, handler) : this.maker.bypass(handler, 'uncacheable');
  }

  #fly(request: CacheRequest, handler: Handler): { readonly result: Promise<Outcome>; readonly joined: boolean } {
    const renew = request.terms.noCache;
    let early!: (outcome: Outcome) => void;
    const first = new Promise<Outcome>((resolve) => (early = resolve));
    const { result, joined } = this.#flights.run(flightOf(request), async (closeToJoiners) => {
      const known = renew ? undefined : this.levels.inL1(request);
      if (known && isUsed(this.#judge(known, request, handler))) return this.#hit(request, known);
      const placeholder = this.l1.take(responseAddress(request.key));
      if (!renew) this.levels.count('l1', placeholder ? 'miss' : 'bypass');
      try {
        closeToJoiners();
        const usable = (found: Found) => isUsed(this.#judge(found, request, handler));
        const confirmed = placeholder && !renew && (await this.levels.confirmed(request, placeholder, usable));
        if (confirmed) return this.#hit(request, confirmed);
        const search = await this.levels.inL2(request, placeholder, renew && request.route.reads === 'entities');
        const reuse = search.found && this.#judge(search.found, request, handler);
        if (search.found && isUsed(reuse)) {
          this.levels.keepHit(search.found, placeholder);
          return this.#hit(request, search.found);
        }
        if (search.found) this.levels.count('l2', 'miss');
        const renewed = renew || reuse === 'asked';
        return await this.maker.make({ request, handler, search, placeholder, renew: renewed, early });
      } finally {
        if (placeholder) this.l1.abandon(placeholder);
      }
    });
    return { result: joined ? result : Promise.race([first, result]), joined };
  }

  /** Stale-while-revalidate (RFC 5861). */
  #refresh(request: CacheRequest, handler: Handler): void {
    this.#fly(renewing({ ...request, terms: anyAnswer }), handler).result.catch((error: Error) =>
      this.#logger.debug(`a refresh failed: ${error.message}`),
    );
  }

  /** Request `only-if-cached` (RFC 9111, 5.2.1.7). */
  async #ifCached(request: CacheRequest, handler: Handler): Promise<Outcome> {
    const { found } = await this.levels.inL2(request, undefined, false);
    if (found && isUsed(this.#judge(found, request, handler))) return this.#hit(request, found);
    const error = new ProblemException(504, 'This is not in the cache, and nothing else was asked for.');
    const api = { hit: false, forward: 'uri-miss', stored: false, collapsed: false, policy: undefined } as const;
    return { error, api: { ...api, detail: 'request' }, tags: [], fits: () => false };
  }

  #use(request: CacheRequest, handler: Handler, found: Found, reuse: Reuse): Outcome {
    if (reuse === 'renewed') this.#refresh(request, handler);
    return this.#hit(request, found);
  }

  #hit(request: CacheRequest, found: Found): Outcome {
    this.levels.count(found.level, found.entry.freshMs > 0 ? 'hit' : 'stale');
    return hitOf(request, found, this.policySource);
  }

  /** What a request for a younger answer may not have for itself, it gets like any other request. */
  #judge({ candidate }: Found, request: CacheRequest, { head }: Handler): Reuse {
    const reuse = judge(candidate, request.terms);
    // Renewed behind an answer, it would be judged without the head that somebody waits for.
    if (reuse === 'renewed' && head?.isWatched()) return 'stale';
    if (reuse !== 'asked' || request.terms.noCache || this.#mayRenew(request)) return reuse;
    return judge(candidate, anyAnswer);
  }

  #mayRenew({ key }: CacheRequest): boolean {
    return this.#renewals.take(key, this.clock.monotonicMs()) === 0;
  }
}

const isUsed = (reuse: Reuse | undefined): boolean => reuse === 'served' || reuse === 'renewed';

const renewing = (request: CacheRequest): CacheRequest => ({ ...request, terms: { ...request.terms, noCache: true } });

/** Requests that want different things of one key do not wait for each other. */
function flightOf({ key, terms }: CacheRequest): string {
  const { noCache, maxAgeS, minFreshS, maxStaleS } = terms;
  if (noCache) return `renew ${key}`;
  const wishes = [maxAgeS, minFreshS, maxStaleS];
  return wishes.every((wish) => wish === undefined) ? key : `${wishes.join()} ${key}`;
}
