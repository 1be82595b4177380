import { HttpException, Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { Clock } from '../clock.js';
import { type Dependency } from '../core/tags.js';
import { collecting } from '../engine/scope.js';
import { type Ticket } from '../levels/level.js';
import { MemoryLevel } from '../levels/l1/memory-level.js';
import { type Ask, isAuthorized } from './ask.js';
import { type Forward, type LayerStatus } from './cache-status.js';
import { compose, lifetimeOf, plainLines, refreshed, withoutUnstored } from './compose.js';
import { type Handler, type Made, type Outcome, partTags, sameSelection, selectingNames } from './outcome.js';
import { PartCollector } from './part-collector.js';
import { type Found, ResponseLevels, type Search } from './response-levels.js';
import { standsIn } from './semantics/reuse.js';
import { type Refusal, refuseStorage } from './semantics/storable.js';
import { type Validators, validatorsOf } from './semantics/validators.js';
import { fieldsOf, statusOf, type StoredResponse } from './stored-response.js';

/** Statuses of an origin that cannot answer (RFC 5861, 4). */
const failures = new Set([500, 502, 503, 504]);

/** Runs handlers: what they answer is kept where it may be, and where they fail, what is held may stand in. */
@Injectable()
export class ResponseMaker {
  readonly #logger = new Logger('Cache');

  constructor(
    private readonly settings: Settings,
    private readonly l1: MemoryLevel,
    private readonly levels: ResponseLevels,
    private readonly clock: Clock,
  ) {}

  /** Runs a handler without keeping its response. */
  async bypass(handler: Handler, detail: 'disabled' | 'uncacheable'): Promise<Outcome> {
    const collector = new PartCollector(false, this.l1, undefined);
    const made = await this.#run(handler, undefined, collector, false);
    const api = { hit: false, forward: 'bypass', stored: false, collapsed: false, detail } as const;
    return {
      ...made,
      db: collector.status(),
      api: { ...api, policy: collector.policy() },
      tags: [],
      fits: () => false,
    };
  }

  /** @param renew what the handler reads is to be made anew as well */
  async make(
    ask: Ask,
    handler: Handler,
    search: Search,
    placeholder: Ticket | undefined,
    renew: boolean,
  ): Promise<Outcome> {
    const { found, blocked, variants } = search;
    const stamps = ask.route.reads === 'entities' ? [] : await this.#uriStamp(ask, blocked, placeholder);
    const collector = new PartCollector(renew, this.l1, placeholder, stamps);
    const made = await this.#run(handler, found, collector, ask.route.cdn !== undefined);
    const shared = { hit: false, stored: false, collapsed: false, policy: collector.policy() } as const;
    const reason: Forward = renew ? 'request' : found ? 'stale' : variants ? 'vary-miss' : 'uri-miss';
    const forward = blocked === undefined ? reason : 'bypass';
    const failedWith = failureOf(made);
    if (found && failedWith !== undefined && this.#mayStandIn(found, made)) {
      this.#logger.warn(`${failedWith} for ${ask.key}: what is held stands in`);
      const api = { ...shared, forward: 'stale', forwardStatus: failedWith } as const;
      return { response: found.stored, api, tags: [], fits: sameSelection(ask, found.stored) };
    }
    const verdict = made.response && this.#verdict(ask, made.response, collector, made.validated ? found : undefined);
    const stored =
      made.response && verdict?.life && stamps
        ? await this.#keep(ask, made.response, verdict.life, search, placeholder)
        : false;
    const detail = blocked ?? (verdict?.refusal === undefined ? undefined : 'uncacheable');
    const api: LayerStatus = {
      ...{ ...shared, forward, stored },
      ...(made.validated && { forwardStatus: 304 }),
      ...(detail !== undefined && { detail }),
    };
    const fits = this.#fits(ask, made, verdict?.refusal, verdict?.life !== undefined);
    const tags = partTags((verdict?.dependencies ?? []).map(({ tag }) => tag));
    return { ...made, db: collector.status(), api, tags, fits };
  }

  /** With Redis away there is no stamp, and nothing is kept that needs one. */
  #uriStamp(ask: Ask, blocked: Search['blocked'], placeholder: Ticket | undefined) {
    const possible = blocked === undefined || blocked === 'disabled';
    return possible ? this.levels.uriStamp(ask.key, placeholder) : undefined;
  }

  /** A handler's failure is an outcome too: it is shared like any other, with what is known of how it came about. */
  async #run(
    handler: Handler,
    found: Found | undefined,
    collector: PartCollector,
    targeted: boolean,
  ): Promise<Made & { readonly validated?: true }> {
    const askedMs = this.clock.wallMs();
    const held = found && heldOf(found.stored);
    try {
      const answer = await collecting(collector, () => handler(held));
      const taken = { askedMs, madeAtMs: this.clock.wallMs() };
      if (!answer) return {};
      if (!found || !held || answer.status !== 304) return { response: compose(answer, targeted, taken) };
      return { response: refreshed(found.stored, answer, targeted, taken), validated: true };
    } catch (error) {
      return { error };
    }
  }

  /** What is past its lifetime stands in for an origin that cannot be reached; for one that answers, only if it says so. */
  #mayStandIn({ candidate, stored }: Found, { error }: Made): boolean {
    return standsIn(candidate) && (error !== undefined || stored.own?.terms.staleIfErrorS !== undefined);
  }

  /** Whether a response may be kept, and for how long. */
  #verdict(ask: Ask, response: StoredResponse, collector: PartCollector, validated: Found | undefined) {
    const { own } = response;
    const fields = fieldsOf(own?.lines ?? []);
    const refusal = refuseStorage(
      { authorized: isAuthorized(ask), noStore: ask.terms.noStore },
      ...([statusOf(response), fields, ask.route.cdn !== undefined] as const),
    );
    const dependencies = union(collector.dependencies(), validated?.entry.dependencies);
    const lifetime = lifetimeOf({
      terms: own?.terms,
      ageS: own?.ageS ?? 0,
      parts: collector.any ? collector.lifetime() : undefined,
      ttlMs: ask.route.ttlMs,
      staleMs: this.settings.cacheStaleMs,
      validators: Object.keys(validatorsOf(fields)).length > 0,
    });
    const life = refusal === undefined && dependencies && lifetime ? { ...lifetime, dependencies } : undefined;
    return { refusal, life, dependencies };
  }

  #keep(
    ask: Ask,
    response: StoredResponse,
    life: { readonly freshMs: number; readonly keepMs: number; readonly dependencies: readonly Dependency[] },
    search: Search,
    placeholder: Ticket | undefined,
  ): Promise<boolean> {
    const kept = withoutUnstored(response, ask.route.cdn !== undefined);
    return this.levels.keep(ask, kept, selectingNames(ask, response), life, search, placeholder);
  }

  /**
   * Who waited for an answer may have it if a cache could have stored it for them. A route with a key of its own vouches
   * that its answers are anybody's; then that holds for failures too.
   */
  #fits(ask: Ask, made: Made, refusal: Refusal | undefined, keepable: boolean): (other: Ask) => boolean {
    const vouched = ask.route.key !== undefined;
    const sharable = refusal === undefined || refusal === 'request-no-store';
    if (!made.response) return () => vouched && made.error !== undefined;
    if (!sharable || !(keepable || vouched)) return () => false;
    const same = sameSelection(ask, made.response);
    return (other) => same(other) && (!isAuthorized(other) || (made.response?.own?.forAuthorized ?? false));
  }
}

/** What a handler can compare with; undefined if nothing. */
function heldOf(stored: StoredResponse): Validators | undefined {
  const held = validatorsOf(fieldsOf(stored.own?.lines ?? plainLines(stored)));
  return Object.keys(held).length > 0 ? held : undefined;
}

/** The status of a failure; undefined for any other outcome. */
function failureOf({ response, error }: Made): number | undefined {
  if (response) return failures.has(statusOf(response)) ? statusOf(response) : undefined;
  if (error === undefined) return undefined;
  const status = error instanceof HttpException ? error.getStatus() : 503;
  return status >= 500 ? status : undefined;
}

/** Undefined where one is, or where the two saw different generations of a tag. */
function union(a: readonly Dependency[] | undefined, b: readonly Dependency[] = []): readonly Dependency[] | undefined {
  if (!a) return undefined;
  const stamps = new Map(a.map(({ tag, stamp }) => [tag, stamp]));
  if (b.some(({ tag, stamp }) => (stamps.get(tag) ?? stamp) !== stamp)) return undefined;
  for (const { tag, stamp } of b) stamps.set(tag, stamp);
  return [...stamps].map(([tag, stamp]) => ({ tag, stamp }));
}
