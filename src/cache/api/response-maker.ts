import { HttpException, Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { Clock } from '../clock.js';
import { collecting } from '../engine/scope.js';
import { type Ticket } from '../levels/level.js';
import { MemoryLevel } from '../levels/l1/memory-level.js';
import { type CacheRequest, isAuthorized } from './cache-request.js';
import { type Forward, type LayerStatus } from '../layer-status.js';
import { HandlerError } from './captured-response.js';
import { type SentHead } from './sent-head.js';
import { compose, plainLines, refreshed } from './compose.js';
import { fitsStored, type Handler, type Made, type Outcome, partTags, selectingNames } from './outcome.js';
import { PartCollector } from './part-collector.js';
import { type Found, ResponseLevels, type Search } from './response-levels.js';
import { standsIn } from './semantics/reuse.js';
import { refuseStorage } from './semantics/storable.js';
import { type Validators, validatorsOf } from './semantics/validators.js';
import { contentOf, fieldsOf, statusOf, type StoredResponse } from './stored-response.js';
import { type Verdict, verdictOf } from './verdict.js';

/** Statuses of an origin that cannot answer (RFC 5861, 4). */
const failures = new Set([500, 502, 503, 504]);

/** A response that is not there, and who asks for it. */
interface Making {
  readonly request: CacheRequest;
  readonly handler: Handler;
  readonly search: Search;
  readonly placeholder: Ticket | undefined;
  /** What the handler reads is to be made anew as well. */
  readonly renew: boolean;
  /** Called where the answer has to be on its way before it is known whether it may be kept. */
  readonly early: (outcome: Outcome) => void;
}

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

  async make({ request, handler, search, placeholder, renew, early }: Making): Promise<Outcome> {
    const { found, blocked, variants } = search;
    const targeted = request.route.cdn !== undefined;
    const stamps = request.route.reads === 'entities' ? [] : await this.#uriStamp(request, blocked, placeholder);
    const collector = new PartCollector(renew, this.l1, placeholder, stamps);
    const made = await this.#run(handler, found, collector, targeted);
    const shared = { hit: false, collapsed: false, policy: collector.policy() } as const;
    const failure = failureOf(made);
    if (found && failure !== undefined && mayStandIn(found, made)) {
      this.#logger.warn(`serving stale ${request.key}: the handler failed with ${failure}`);
      const api = { ...shared, stored: false, forward: 'stale', forwardStatus: failure } as const;
      return { response: found.stored, api, tags: [], fits: fitsStored(request, found.stored) };
    }
    const { response, validated } = made;
    const verdict = response && verdictOf(request, response, collector, validated ? found : undefined, this.settings);
    const reason: Forward = renew ? 'request' : found ? 'stale' : variants ? 'vary-miss' : 'uri-miss';
    const detail = blocked ?? (verdict?.refusal === undefined ? undefined : 'uncacheable');
    const api: LayerStatus = {
      ...{ ...shared, stored: false, forward: blocked === undefined ? reason : 'bypass' },
      ...(validated && { forwardStatus: 304 }),
      ...(detail !== undefined && { detail }),
    };
    const tags = partTags((verdict?.dependencies ?? []).map(({ tag }) => tag));
    const own: Outcome = { ...made, db: collector.status(), api, tags, fits: () => false };
    if (handler.head?.isWatched()) {
      early(own);
      const sent = await handler.head.sent;
      if (!sent || !response || refuseSent(request, response, sent, targeted)) return own;
    }
    const keep = response && stamps && verdict?.life ? verdict : undefined;
    const stored = keep?.life
      ? await this.levels.keep(request, keep.kept, selectingNames(request, keep.kept), keep.life, search, placeholder)
      : false;
    return { ...own, api: { ...api, stored }, fits: collector.own ? () => false : fitsOf(request, made, verdict) };
  }

  /** With Redis away there is no stamp, and nothing is kept that needs one. */
  #uriStamp(request: CacheRequest, blocked: Search['blocked'], placeholder: Ticket | undefined) {
    const possible = blocked === undefined || blocked === 'disabled';
    return possible ? this.levels.uriStamp(request.uri, placeholder) : undefined;
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
      const content = contentOf(answer);
      if (!content) return { passed: answer };
      collector.adopt(answer.value);
      const mixed = collector.mixed && { mixed: true as const };
      if (!found || !held || answer.status !== 304)
        return { response: { ...compose(answer, content, targeted, taken), ...mixed } };
      return { response: { ...refreshed(found.stored, answer, targeted, taken), ...mixed }, validated: true };
    } catch (error) {
      return error instanceof HandlerError ? { error: error.cause, said: error.said } : { error };
    }
  }
}

/** Whether what was sent in the end, which middleware had a say in, is not to be stored, or is something else altogether. */
function refuseSent(
  request: CacheRequest,
  response: StoredResponse,
  { status, fields }: NonNullable<Awaited<SentHead['sent']>>,
  targeted: boolean,
): boolean {
  const meant = statusOf(response);
  const client = { authorized: isAuthorized(request), noStore: request.terms.noStore };
  const asMeant = status === meant || status === 304 || isPart(request, status);
  return !asMeant || refuseStorage(client, meant, fields, targeted) !== undefined;
}

/** A part of the answer, to a client that asked for a part. */
const isPart = ({ route }: CacheRequest, status: number): boolean =>
  route.ranges === true && (status === 206 || status === 416);

/** A stale response replaces a failure of the handler; a failure that the handler itself answered, only if it allowed so. */
function mayStandIn({ candidate, stored }: Found, { error }: Made): boolean {
  return standsIn(candidate) && (error !== undefined || stored.own?.terms.staleIfErrorS !== undefined);
}

/**
 * Who waited for an answer may have it if a cache could have stored it for them. A route with a key of its own vouches that
 * its answers are anybody's; then that holds for failures too.
 */
function fitsOf(
  request: CacheRequest,
  { response, error, said }: Made,
  verdict: Verdict | undefined,
): (other: CacheRequest) => boolean {
  const vouched = request.route.key !== undefined;
  const cookie = 'set-cookie' in fieldsOf(said?.lines ?? []);
  if (!response)
    return (other) => vouched && error !== undefined && !cookie && !isAuthorized(request) && !isAuthorized(other);
  const sharable = verdict?.refusal === undefined || verdict.refusal === 'request-no-store';
  return sharable && (vouched || verdict?.life !== undefined) ? fitsStored(request, response) : () => false;
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
