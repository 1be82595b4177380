import { type Request, type Response } from 'express';
import { type CacheResponseOptions } from './cache-response.decorator.js';
import { byteRange } from './semantics/byte-range.js';
import { type Fields, field } from './semantics/fields.js';
import { isNotModified } from './semantics/validators.js';
import { type Answer, bytesOf, fieldsOf, type StoredResponse } from './stored-response.js';

/**
 * The status and the body of a response whose handler said more than a value; its header fields are set already.
 * @returns what Nest is to send
 */
export function sendOwn(
  stored: StoredResponse,
  route: CacheResponseOptions,
  request: Request,
  response: Response,
): Buffer | undefined {
  const status = stored.own?.status ?? 200;
  const own = fieldsOf(stored.own?.lines ?? []);
  const fields: Fields = { ...own, date: field(own, 'date') ?? new Date(stored.madeAtMs).toUTCString() };
  const read = request.method === 'GET' || request.method === 'HEAD';
  if (read && status === 200 && isNotModified(request.headers, fields, stored.madeAtMs)) {
    response.status(304);
    return undefined;
  }
  const bytes = bytesOf(stored);
  response.status(status);
  if (route.ranges && request.method === 'GET' && status === 200)
    return part(bytes, field(fields, 'etag'), request, response);
  return bytes.length > 0 ? bytes : undefined;
}

/** The range that was asked for, if it was one (RFC 9110, 14). */
function part(bytes: Buffer, etag: string | undefined, request: Request, response: Response): Buffer {
  response.set('Accept-Ranges', 'bytes');
  const range = byteRange(request.headers, etag, bytes.length);
  if (!range) return bytes;
  if (range === 'unsatisfiable') {
    response.status(416).set('Content-Range', `bytes */${bytes.length}`);
    return Buffer.alloc(0);
  }
  response.status(206).set('Content-Range', `bytes ${range.first}-${range.last}/${bytes.length}`);
  return bytes.subarray(range.first, range.last + 1);
}

/** What no cache can keep, a stream, goes to the client that asked for it. */
export function sendPassed({ value, status, lines }: Answer, response: Response): unknown {
  response.status(status);
  for (const [name, text] of lines) response.setHeader(name, text);
  return value;
}
