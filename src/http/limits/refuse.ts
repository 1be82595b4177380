import { type IncomingMessage, type ServerResponse } from 'node:http';
import { problemOf } from '../answer/problem.js';

/** Sends someone away before anything has been done for them. @param retryAfterMs rounded up to whole seconds */
export function refuse(
  req: IncomingMessage,
  res: ServerResponse,
  status: 429 | 503,
  detail: string,
  retryAfterMs: number,
): void {
  const body = JSON.stringify(problemOf(status, detail));
  res.writeHead(status, {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    'Content-Length': Buffer.byteLength(body),
    'Retry-After': Math.ceil(retryAfterMs / 1_000),
  });
  res.end(req.method === 'HEAD' ? undefined : body);
}
