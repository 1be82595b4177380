import { type Representation, representationOf } from '../../http/index.js';
import { type Fields } from './semantics/fields.js';
import { type HeaderLine } from './semantics/freshen.js';
import { type ResponseTerms } from './semantics/response-terms.js';
import { type Variants } from './semantics/vary.js';

/** A whole response as the api layer keeps it. */
export interface StoredResponse extends Representation {
  /** Wall clock of the node that made it, in ms: what `Age` counts from. */
  readonly madeAtMs: number;
  /** Beside cached parts, the database was read past the cache: nothing was proven of that. */
  readonly mixed?: true;
  /** Absent for a plain one: 200, JSON, and no word of its handler about anything else. */
  readonly own?: OwnWords;
}

/** What a handler said besides the value. */
export interface OwnWords {
  readonly status: number;
  /** Its header fields, but for those of the connection. */
  readonly lines: readonly HeaderLine[];
  readonly terms: ResponseTerms;
  /** How old it was when it came, in seconds. */
  readonly ageS: number;
  /** How the text stands for the bytes. */
  readonly encoding: 'utf8' | 'base64';
  /** It may be used for requests with `Authorization` (RFC 9111, 3.5). */
  readonly forAuthorized: boolean;
}

/** What a handler answered, before anything was made of it. */
export interface Answer {
  readonly value: unknown;
  readonly status: number;
  readonly lines: readonly HeaderLine[];
}

export const plainAnswer = (value: unknown): Answer => ({ value, status: 200, lines: [] });

/** A value as bytes: objects are JSON, text and bytes are what they are. `type` is what Nest would say they are. */
export function contentOf(value: unknown): Representation & Pick<OwnWords, 'encoding'> & { readonly type?: string } {
  if (value === undefined) return { body: '', etag: '', encoding: 'utf8' };
  if (Buffer.isBuffer(value))
    return { body: value.toString('base64'), etag: '', encoding: 'base64', type: 'application/octet-stream' };
  if (typeof value === 'string') return { body: value, etag: '', encoding: 'utf8', type: 'text/html; charset=utf-8' };
  return { ...representationOf(value), encoding: 'utf8', type: jsonType };
}

export const jsonType = 'application/json; charset=utf-8';

export const bytesOf = ({ body, own }: StoredResponse): Buffer => Buffer.from(body, own?.encoding ?? 'utf8');

export const statusOf = ({ own }: StoredResponse): number => own?.status ?? 200;

/** Its header fields under lower-case names. */
export function fieldsOf(lines: readonly HeaderLine[]): Fields {
  return Object.fromEntries(lines.map(([name, value]) => [name.toLowerCase(), value]));
}

/** One line of head, then the body untouched: it is JSON text already and is not quoted a second time. */
export function serialise({ body, ...head }: StoredResponse): string {
  return `${JSON.stringify(head)}\n${body}`;
}

export function deserialise(text: string): StoredResponse {
  const end = text.indexOf('\n');
  return { ...(JSON.parse(text.slice(0, end)) as Omit<StoredResponse, 'body'>), body: text.slice(end + 1) };
}

/** What stands under the key of responses that vary. */
export const serialiseVariants = (variants: Variants): string => `${JSON.stringify({ variants })}\n`;

export function variantsIn(text: string): Variants | undefined {
  if (!text.startsWith('{"variants"')) return undefined;
  return (JSON.parse(text) as { variants: Variants }).variants;
}
