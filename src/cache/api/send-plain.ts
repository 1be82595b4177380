import { type Request, type Response } from 'express';
import { type Chosen } from './representations.js';
import { jsonType } from './stored-response.js';

/**
 * The representation of a response whose handler said nothing but a value. 304 and HEAD are Express's, by the tag.
 * @returns what Nest is to send
 */
export function sendPlain({ encoding, etag, body }: Chosen, request: Request, response: Response): string | Buffer {
  response.vary('Accept-Encoding').set({ ETag: etag, 'Content-Type': jsonType });
  // A 304 describes nothing but what may have changed (RFC 9110, 15.4.5).
  if (encoding !== 'identity' && !request.fresh) response.set('Content-Encoding', encoding);
  return body;
}
