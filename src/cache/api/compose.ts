import { type Lifetime } from '../core/freshness.js';
import { initialAgeS } from './semantics/age.js';
import { freshened, type HeaderLine } from './semantics/freshen.js';
import { effectiveDirectives, type ResponseTerms, responseTerms } from './semantics/response-terms.js';
import { storedFields } from './semantics/storable.js';
import { type Answer, contentOf, fieldsOf, type OwnWords, type StoredResponse } from './stored-response.js';

/** When an answer was asked for and when it was there: wall clock, in ms. */
export interface Taken {
  readonly askedMs: number;
  readonly madeAtMs: number;
}

/**
 * Makes a response of what a handler answered. A plain one (200, an object, no word about anything else) is JSON with the
 * tag of its bytes; of any other one the handler's own words are kept, and JSON gets a tag if it has no validator.
 * @param targeted whether `CDN-Cache-Control` is listened to
 */
export function compose({ value, status, lines }: Answer, targeted: boolean, taken: Taken): StoredResponse {
  const { type, encoding, ...content } = contentOf(value);
  const plain = status === 200 && lines.length === 0 && content.etag !== '';
  if (plain) return { ...content, madeAtMs: taken.madeAtMs };
  const typed = type === undefined || has(lines, 'content-type') ? lines : [...lines, ['Content-Type', type] as const];
  const validated = has(lines, 'etag') || has(lines, 'last-modified') || status !== 200 || content.etag === '';
  const all = validated ? typed : [...typed, ['ETag', content.etag] as const];
  return { ...content, madeAtMs: taken.madeAtMs, own: wordsOf(all, { status, encoding }, targeted, taken) };
}

/** A stored response after its handler has said that it still holds (RFC 9111, 4.3.4). */
export function refreshed(stored: StoredResponse, { lines }: Answer, targeted: boolean, taken: Taken): StoredResponse {
  const { own, body, etag } = stored;
  const before = own?.lines ?? plainLines(stored);
  const words = { status: own?.status ?? 200, encoding: own?.encoding ?? ('utf8' as const) };
  return { body, etag, madeAtMs: taken.madeAtMs, own: wordsOf(freshened(before, lines), words, targeted, taken) };
}

export const plainLines = ({ etag }: StoredResponse): HeaderLine[] => [
  ['Content-Type', 'application/json; charset=utf-8'],
  ['ETag', etag],
];

/** Without the fields that must not be kept. */
export function withoutUnstored(response: StoredResponse, targeted: boolean): StoredResponse {
  if (!response.own) return response;
  const keeps = storedFields(fieldsOf(response.own.lines), targeted);
  return { ...response, own: { ...response.own, lines: response.own.lines.filter(([name]) => keeps(name)) } };
}

function wordsOf(
  lines: readonly HeaderLine[],
  rest: Pick<OwnWords, 'status' | 'encoding'>,
  targeted: boolean,
  { askedMs, madeAtMs }: Taken,
): OwnWords {
  const fields = fieldsOf(lines);
  const { directives } = effectiveDirectives(fields, targeted);
  return {
    ...rest,
    lines: lines.filter(([name]) => name.toLowerCase() !== 'age'),
    terms: responseTerms(fields, targeted, madeAtMs),
    ageS: initialAgeS(fields, askedMs, madeAtMs),
    forAuthorized: ['public', 'must-revalidate', 's-maxage'].some((name) => directives.has(name)),
  };
}

const has = (lines: readonly HeaderLine[], field: string): boolean =>
  lines.some(([name]) => name.toLowerCase() === field);

/** However long a response wants to be kept. In ms. */
const longestMs = 7 * 86_400_000;

export interface LifetimeSources {
  /** What its handler says; undefined: nothing. */
  readonly terms: ResponseTerms | undefined;
  /** Age when it came, in seconds. */
  readonly ageS: number;
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
  const { terms, ageS, parts, ttlMs, staleMs, validators } = sources;
  const saidMs = terms?.lifetimeS === undefined ? undefined : (terms.lifetimeS - ageS) * 1_000;
  const ownMs = saidMs ?? (parts ? Infinity : ttlMs);
  if (ownMs === undefined && !(validators && terms)) return undefined;
  const freshMs = Math.round(Math.min(ownMs ?? 0, parts?.freshMs ?? Infinity, longestMs));
  if ((freshMs <= 0 || terms?.noCache) && !validators) return undefined;
  const windowsS = Math.max(terms?.staleWhileRevalidateS ?? 0, terms?.staleIfErrorS ?? 0);
  const wantedMs = Math.max(0, freshMs) + Math.max(staleMs, windowsS * 1_000);
  const keepMs = Math.round(Math.min(wantedMs, parts?.keepMs ?? Infinity, longestMs));
  return keepMs > 0 ? { freshMs, keepMs } : undefined;
}
