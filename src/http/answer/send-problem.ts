import { type Response } from 'express';
import { type Problem } from './problem.js';

/** Headers that describe a representation which is not sent after all. */
const withdrawn = ['ETag', 'Last-Modified', 'Location', 'Content-Encoding', 'Content-Disposition', 'Content-Range'];

/** Answers with a problem; after the headers are out the connection is all that can be closed. */
export function sendProblem(res: Response, problem: Problem, headers: Readonly<Record<string, string>> = {}): void {
  if (res.headersSent) {
    if (!res.writableEnded) res.destroy();
    return;
  }
  for (const name of withdrawn) res.removeHeader(name);
  res.status(problem.status);
  res.set({ 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', ...headers });
  res.send(Buffer.from(JSON.stringify(problem)));
}
