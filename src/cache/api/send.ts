import { StreamableFile } from '@nestjs/common';
import { type Request, type Response } from 'express';
import { type CacheResponseOptions } from './cache-response.decorator.js';
import { type Chosen } from './representations.js';
import { byteRange } from './semantics/byte-range.js';
import { type Fields, field } from './semantics/fields.js';
import { type HeaderLine } from './semantics/freshen.js';
import { isNotModified } from './semantics/validators.js';
import { type HandlerAnswer, bytesOf, fieldsOf, jsonType, type StoredResponse } from './stored-response.js';

/** What Nest is to send, whatever its adapter: text goes out as it is, bytes only as a stream. */
export type Sent = string | StreamableFile | undefined;

/** These have no body (RFC 9110, 15.3.5, 15.3.6 and 15.4.5). */
const withoutBody = new Set([204, 205, 304]);

/** A response whose handler said nothing but a value. */
export function sendPlain(
  { encoding, etag, body }: Chosen,
  stored: StoredResponse,
  request: Request,
  response: Response,
): Sent {
  response.vary('Accept-Encoding').set({ ETag: etag, 'Content-Type': jsonType });
  const date = new Date(stored.madeAtMs).toUTCString();
  if (isNotModified(request.headers, { etag, date }, stored.madeAtMs)) return empty(response, 304);
  if (encoding !== 'identity') response.set('Content-Encoding', encoding);
  return typeof body === 'string' ? body : streamed(body);
}

/** The status and the body of a response whose handler said more than a value; its header fields are set already. */
export function sendOwn(
  stored: StoredResponse,
  route: CacheResponseOptions,
  request: Request,
  response: Response,
): Sent {
  const { status = 200, lines = [], encoding = 'utf8', reason } = stored.own ?? {};
  const own = fieldsOf(lines);
  const fields: Fields = { ...own, date: field(own, 'date') ?? new Date(stored.madeAtMs).toUTCString() };
  if (status === 200 && isNotModified(request.headers, fields, stored.madeAtMs)) return empty(response, 304);
  if (reason !== undefined) response.statusMessage = reason;
  if (encoding === 'none' || withoutBody.has(status)) return empty(response, status);
  response.status(status);
  if (route.ranges && request.method === 'GET' && status === 200)
    return part(bytesOf(stored), field(fields, 'etag'), request, response);
  return encoding === 'utf8' ? stored.body : streamed(bytesOf(stored));
}

/** What no cache can keep goes to the client that asked for it, as if there was no cache. */
export function sendPassed({ value, status, reason, lines, removed }: HandlerAnswer, response: Response): unknown {
  response.status(status);
  if (reason !== undefined) response.statusMessage = reason;
  setFields(response, lines, removed);
  return value;
}

/** The fields of an answer, over those that were set before its handler ran. */
export function setFields(response: Response, lines: readonly HeaderLine[], removed: readonly string[] = []): void {
  for (const name of removed) response.removeHeader(name);
  for (const [name, value] of lines) response.setHeader(name, value);
}

function empty(response: Response, status: number): undefined {
  response.status(status);
}

const streamed = (bytes: Buffer) => new StreamableFile(bytes);

/** The range that was asked for, if it was one (RFC 9110, 14). */
function part(bytes: Buffer, etag: string | undefined, request: Request, response: Response): Sent {
  response.set('Accept-Ranges', 'bytes');
  const range = byteRange(request.headers, etag, bytes.length);
  if (!range) return streamed(bytes);
  if (range === 'unsatisfiable') {
    response.status(416).set('Content-Range', `bytes */${bytes.length}`);
    return streamed(Buffer.alloc(0));
  }
  response.status(206).set('Content-Range', `bytes ${range.first}-${range.last}/${bytes.length}`);
  return streamed(bytes.subarray(range.first, range.last + 1));
}
