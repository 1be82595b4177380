import { type Settings } from '../../config/index.js';
import { type Lifetime } from '../core/freshness.js';
import { type Dependency } from '../core/tags.js';
import { type CacheRequest, isAuthorized } from './cache-request.js';
import { type PartCollector } from './part-collector.js';
import { type Found } from './response-levels.js';
import { type ResponseTerms } from './semantics/response-terms.js';
import { mayHaveLifetime, type StorageRefusal, refuseStorage, storedFields } from './semantics/storable.js';
import { validatorsOf } from './semantics/validators.js';
import { fieldsOf, statusOf, type StoredResponse } from './stored-response.js';

/** Whether a response may be kept, as what, and for how long. */
export interface Verdict {
  readonly refusal: StorageRefusal | undefined;
  /** Undefined: it is not kept. */
  readonly life: (Lifetime & { readonly dependencies: readonly Dependency[] }) | undefined;
  readonly dependencies: readonly Dependency[] | undefined;
  readonly kept: StoredResponse;
}

/** @param validated what its handler has said still holds: it goes on depending on what that was made of */
export function verdictOf(
  request: CacheRequest,
  response: StoredResponse,
  collector: PartCollector,
  validated: Found | undefined,
  { cacheStaleMs: staleMs }: Settings,
): Verdict {
  const { own } = response;
  const fields = fieldsOf(own?.lines ?? []);
  const targeted = request.route.cdn !== undefined;
  const client = { authorized: isAuthorized(request), noStore: request.terms.noStore };
  const refusal = refuseStorage(client, statusOf(response), fields, targeted);
  const dependencies = union(collector.dependencies(), validated?.entry.dependencies);
  const lifetime = lifetimeOf({
    terms: own?.terms,
    ageS: own?.ageS ?? 0,
    byDefault: mayHaveLifetime(statusOf(response), request.route.statuses),
    parts: collector.any ? collector.lifetime() : undefined,
    ttlMs: request.route.ttlMs,
    staleMs,
    validators: Object.keys(validatorsOf(fields)).length > 0,
  });
  const unspoken = own?.terms.lifetimeS === undefined && !collector.any && request.route.ttlMs === undefined;
  return {
    refusal,
    life: refusal === undefined && dependencies && lifetime ? { ...lifetime, dependencies } : undefined,
    dependencies,
    kept: asKept(response, targeted, unspoken),
  };
}

/**
 * As it is kept: without the fields that must not be.
 * @param unspoken nothing says how long it is fresh: it is validated before every use, nothing is guessed
 */
function asKept(response: StoredResponse, targeted: boolean, unspoken: boolean): StoredResponse {
  const { own } = response;
  if (!own) return response;
  const keeps = storedFields(fieldsOf(own.lines), targeted);
  const terms = { ...own.terms, noCache: own.terms.noCache || unspoken };
  return { ...response, own: { ...own, terms, lines: own.lines.filter(([name]) => keeps(name)) } };
}

/** However long a response wants to be kept. In ms. */
const longestMs = 7 * 86_400_000;

interface LifetimeSources {
  /** What its handler says; undefined: nothing. */
  readonly terms: ResponseTerms | undefined;
  /** Age when it came, in seconds. */
  readonly ageS: number;
  /** Whether its status is one that is kept although its handler says nothing. */
  readonly byDefault: boolean;
  /** Of what it was made of; undefined: of nothing that is cached. */
  readonly parts: Lifetime | undefined;
  /** What the route says for answers that say nothing. */
  readonly ttlMs: number | undefined;
  readonly staleMs: number;
  /** It can be validated, so that it is worth keeping when it is stale. */
  readonly validators: boolean;
}

/** How long a response is fresh and kept; undefined: there is nothing to go by, or nothing to gain. */
export function lifetimeOf(sources: LifetimeSources): Lifetime | undefined {
  const { terms, ageS, byDefault, parts, ttlMs, staleMs, validators } = sources;
  const saidMs = terms?.lifetimeS === undefined ? undefined : (terms.lifetimeS - ageS) * 1_000;
  if (saidMs === undefined && !byDefault) return undefined;
  const ownMs = saidMs ?? (parts ? Infinity : ttlMs);
  if (ownMs === undefined && !(validators && terms)) return undefined;
  const freshMs = Math.round(Math.min(ownMs ?? 0, parts?.freshMs ?? Infinity, longestMs));
  if ((freshMs <= 0 || terms?.noCache) && !validators) return undefined;
  const windowsS = Math.max(terms?.staleWhileRevalidateS ?? 0, terms?.staleIfErrorS ?? 0);
  const wantedMs = Math.max(0, freshMs) + Math.max(staleMs, windowsS * 1_000);
  const keepMs = Math.round(Math.min(wantedMs, parts?.keepMs ?? Infinity, longestMs));
  return keepMs > 0 ? { freshMs, keepMs } : undefined;
}

/** Undefined where the first is, or where the two saw different generations of a tag. */
function union(a: readonly Dependency[] | undefined, b: readonly Dependency[] = []): readonly Dependency[] | undefined {
  if (!a) return undefined;
  const stamps = new Map(a.map(({ tag, stamp }) => [tag, stamp]));
  if (b.some(({ tag, stamp }) => (stamps.get(tag) ?? stamp) !== stamp)) return undefined;
  for (const { tag, stamp } of b) stamps.set(tag, stamp);
  return [...stamps].map(([tag, stamp]) => ({ tag, stamp }));
}
