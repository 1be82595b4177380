import { initialAgeS } from './semantics/age.js';
import { freshened, type HeaderLine } from './semantics/freshen.js';
import { effectiveDirectives, responseTerms } from './semantics/response-terms.js';
import { allowsAuthorized, passedOn } from './semantics/storable.js';
import {
  type HandlerAnswer,
  type Content,
  fieldsOf,
  type ExplicitHeaders,
  type StoredResponse,
} from './stored-response.js';

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
export function compose(answer: HandlerAnswer, made: Content, targeted: boolean, taken: Taken): StoredResponse {
  const { status, lines, removed = [], reason } = answer;
  const { type, encoding, ...content } = made;
  const silent = lines.length === 0 && removed.length === 0 && reason === undefined;
  const plain = status === 200 && silent && content.etag !== '';
  if (plain) return { ...content, madeAtMs: taken.madeAtMs };
  const typed = type === undefined || has(lines, 'content-type') ? lines : [...lines, ['Content-Type', type] as const];
  const validated = has(lines, 'etag') || has(lines, 'last-modified') || status !== 200 || content.etag === '';
  const all = validated ? typed : [...typed, ['ETag', content.etag] as const];
  const rest = { status, encoding, ...(removed.length > 0 && { removed }), ...(reason !== undefined && { reason }) };
  return { ...content, madeAtMs: taken.madeAtMs, own: wordsOf(all, rest, targeted, taken) };
}

/** A stored response after its handler has said that it still holds (RFC 9111, 4.3.4). */
export function refreshed(
  stored: StoredResponse,
  { lines }: HandlerAnswer,
  targeted: boolean,
  taken: Taken,
): StoredResponse {
  const { own, body, etag } = stored;
  const before = own?.lines ?? plainLines(stored);
  const { removed, reason } = own ?? {};
  const words = {
    ...{ status: own?.status ?? 200, encoding: own?.encoding ?? ('utf8' as const) },
    ...(removed && { removed }),
    ...(reason !== undefined && { reason }),
  };
  return { body, etag, madeAtMs: taken.madeAtMs, own: wordsOf(freshened(before, lines), words, targeted, taken) };
}

export const plainLines = ({ etag }: StoredResponse): HeaderLine[] => [
  ['Content-Type', 'application/json; charset=utf-8'],
  ['ETag', etag],
];

function wordsOf(
  lines: readonly HeaderLine[],
  rest: Pick<ExplicitHeaders, 'status' | 'encoding' | 'removed' | 'reason'>,
  targeted: boolean,
  { askedMs, madeAtMs }: Taken,
): ExplicitHeaders {
  const fields = fieldsOf(lines);
  const { directives } = effectiveDirectives(fields, targeted);
  const endToEnd = passedOn(fields);
  return {
    ...rest,
    lines: lines.filter(([name]) => endToEnd(name)),
    terms: responseTerms(fields, targeted, madeAtMs),
    ageS: initialAgeS(fields, askedMs, madeAtMs),
    forAuthorized: allowsAuthorized(directives),
  };
}

const has = (lines: readonly HeaderLine[], field: string): boolean =>
  lines.some(([name]) => name.toLowerCase() === field);
