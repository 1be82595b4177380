import { StreamableFile } from '@nestjs/common';
import { etagOf, type Representation } from '../../http/index.js';
import { type Fields, field } from './semantics/fields.js';
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
  readonly own?: ExplicitHeaders;
}

/** What a handler said besides the value. */
export interface ExplicitHeaders {
  readonly status: number;
  /** Its header fields, but for those of the connection. */
  readonly lines: readonly HeaderLine[];
  readonly terms: ResponseTerms;
  /** How old it was when it came, in seconds. */
  readonly ageS: number;
  /** How the text stands for the body: itself, its bytes, or none at all. */
  readonly encoding: 'utf8' | 'base64' | 'none';
  /** Fields that were there before its handler ran, and that it has taken away. */
  readonly removed?: readonly string[];
  /** What it says behind its status, if that is not what the status means. */
  readonly reason?: string;
  /** It may be used for requests with `Authorization` (RFC 9111, 3.5). */
  readonly forAuthorized: boolean;
}

/** What a handler answered, before anything was made of it. */
export interface HandlerAnswer extends StatusAndHeaders {
  readonly value: unknown;
  /** The JSON text of an object, as the application writes it. */
  readonly json: (value: object) => string | undefined;
}

/** What a handler said by the response object. */
export type StatusAndHeaders = Pick<ExplicitHeaders, 'status' | 'lines' | 'removed' | 'reason'>;

export const plainAnswer = (value: unknown): HandlerAnswer => ({ value, status: 200, lines: [], json: JSON.stringify });

/** What a value becomes: its text or bytes, and what Nest would say they are. */
export type Content = Representation & Pick<ExplicitHeaders, 'encoding'> & { readonly type?: string };

/**
 * What a value becomes when Nest sends it: nothing, text, or an object as JSON; and bytes, which other adapters than the
 * service's would print as JSON. Undefined where that is Nest's to decide: it sends streams piece by piece, and corrects what
 * looks like an error under a wrong type.
 */
export function contentOf({ value, status, lines, json }: HandlerAnswer): Content | undefined {
  if (value === undefined || value === null) return { body: '', etag: '', encoding: 'none' };
  if (Buffer.isBuffer(value))
    return { body: value.toString('base64'), etag: '', encoding: 'base64', type: 'application/octet-stream' };
  if (typeof value !== 'object')
    // eslint-disable-next-line @typescript-eslint/no-base-to-string -- what Nest does to what is no object
    return { body: String(value), etag: '', encoding: 'utf8', type: 'text/html; charset=utf-8' };
  const type = field(fieldsOf(lines), 'content-type') ?? jsonType;
  if (isStreamed(value) || (value instanceof Error && status >= 400) || !isJson.test(type)) return undefined;
  const body = json(value);
  return body === undefined ? undefined : { body, etag: etagOf(body), encoding: 'utf8', type: jsonType };
}

const isJson = /^application\/json\s*(;|$)/i;

/** Whether Nest sends it piece by piece, or what it contains. */
const isStreamed = (value: object): boolean =>
  [value, ...Object.values(value as Record<string, unknown>)].some(
    (part: unknown) =>
      part instanceof StreamableFile ||
      part instanceof globalThis.Response ||
      (typeof part === 'object' && part !== null && Symbol.asyncIterator in part),
  );

export const jsonType = 'application/json; charset=utf-8';

export const bytesOf = ({ body, own }: StoredResponse): Buffer =>
  Buffer.from(body, own?.encoding === 'base64' ? 'base64' : 'utf8');

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
