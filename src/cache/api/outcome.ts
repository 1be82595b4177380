import { weakest } from '../../policies/index.js';
import { type LayerStatus } from '../layer-status.js';
import { type PolicySource } from '../policy-source.js';
import { entityOf, type Tag, uriEntity } from '../core/tags.js';
import { type CacheRequest, isAuthorized } from './cache-request.js';
import { promiseOf } from './candidate.js';
import { type SentHead } from './sent-head.js';
import { type Found } from './response-levels.js';
import { type Validators } from './semantics/validators.js';
import { variantOf, varyNames } from './semantics/vary.js';
import { type HandlerAnswer, fieldsOf, type StatusAndHeaders, type StoredResponse } from './stored-response.js';

/** Makes the answer of a route. Told what is held, it may say 304; it says undefined when it has sent one itself. */
export interface Handler {
  (held: Validators | undefined): Promise<HandlerAnswer | undefined>;
  /** Of the answer to the client whose request made it run; none where there is no client. */
  readonly head?: SentHead;
}

/** What a handler's run came to; none of these where it has sent its answer itself. */
export interface Made {
  readonly response?: StoredResponse;
  readonly error?: unknown;
  /** With an error: what its handler had said until then. */
  readonly said?: StatusAndHeaders;
  /** A stream: for one client, once. */
  readonly passed?: HandlerAnswer;
}

/** A response and how it came about, layer by layer. */
export interface Outcome extends Made {
  readonly db?: LayerStatus | undefined;
  readonly api: LayerStatus;
  /** What it was made of. */
  readonly tags: readonly Tag[];
  /** Whether a request that waited for it may have it too. */
  readonly fits: (other: CacheRequest) => boolean;
}

/** The request fields that selected a response: those that its handler names, and its route. In lower case and order. */
export function selectingNames({ route }: CacheRequest, response: StoredResponse): string[] {
  const named = varyNames(fieldsOf(response.own?.lines ?? []));
  return [...new Set([...named, ...(route.vary ?? []).map((name) => name.toLowerCase())])].sort();
}

/** Fits requests that would have selected the same. */
function sameSelection(request: CacheRequest, response: StoredResponse): (other: CacheRequest) => boolean {
  const names = selectingNames(request, response);
  return ({ fields }) => variantOf(names, fields) === variantOf(names, request.fields);
}

export const partTags = (tags: readonly Tag[]): Tag[] => tags.filter((tag) => entityOf(tag) !== uriEntity);

/** Fits requests that would have selected the same, and that may have what is anybody's. */
export function fitsStored(request: CacheRequest, response: StoredResponse): (other: CacheRequest) => boolean {
  const same = sameSelection(request, response);
  return (other) => same(other) && (!isAuthorized(other) || (response.own?.forAuthorized ?? false));
}

/** A stored response, used as it is. */
export function hitOf(request: CacheRequest, { stored, entry, level }: Found, source: PolicySource): Outcome {
  return {
    response: stored,
    api: { hit: true, level, policy: stored.mixed ? weakest : promiseOf(entry, source), ttlMs: entry.freshMs },
    tags: partTags(entry.dependencies.map(({ tag }) => tag)),
    fits: fitsStored(request, stored),
  };
}
