import express, { type Request, type Response } from 'express';
import { badRequest, ProblemException } from './problem.js';

/** Largest body in bytes, after decompression. */
export const maxBodyBytes = 102_400;

const readRaw = express.raw({ type: () => true, limit: maxBodyBytes });
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads the body, whatever it is. @throws 413, 415 for an unknown content encoding, 400 for a torn body */
export async function readBody(req: Request, res: Response): Promise<Buffer | undefined> {
  if (Number(req.headers['content-length'] ?? 0) > maxBodyBytes)
    throw new ProblemException(413, 'The body is larger than 100 kB.');
  // Another name of gzip (RFC 9110, 8.4.1.3).
  if (req.headers['content-encoding']?.trim().toLowerCase() === 'x-gzip') req.headers['content-encoding'] = 'gzip';
  await new Promise<void>((resolve, reject) => {
    readRaw(req, res, (error?: Error) => (error ? reject(error) : resolve()));
  });
  const body: unknown = req.body;
  return Buffer.isBuffer(body) && body.length > 0 ? body : undefined;
}

/** @throws 415 unless the body is JSON in UTF-8 (RFC 8259, 8.1) */
export function assertJson(contentType: string | undefined): void {
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';');
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith('charset='));
  const encoding = charset?.slice('charset='.length).replace(/^"(.*)"$/, '$1');
  if (type.trim() === 'application/json' && (encoding === undefined || encoding === 'utf-8')) return;
  throw new ProblemException(415, 'Bodies are application/json in UTF-8.', { headers: { Accept: 'application/json' } });
}

/** @throws 406 when the client accepts none of the media types that the route has */
export function assertAcceptable(req: Request, types: readonly string[]): void {
  if (types.length > 0 && !req.accepts([...types]))
    throw new ProblemException(406, `This resource is available as ${types.join(', ')}.`);
}

/** @throws 400 */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch {
    throw badRequest({ in: 'body', field: 'body', message: 'must be well-formed JSON in UTF-8' });
  }
}
