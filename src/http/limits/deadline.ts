import { type RequestHandler } from 'express';
import { problemOf } from '../answer/problem.js';
import { sendProblem } from '../answer/send-problem.js';

/**
 * Answers 503 when a request has not begun to answer within the deadline. The connection stays usable; what the handler
 * still does afterwards is bounded by the deadlines of statements and commands. Streams that have begun are not touched.
 */
export function deadline(timeoutMs: number): RequestHandler {
  return (_req, res, next) => {
    const timer = setTimeout(() => {
      if (res.headersSent) return;
      const detail = `There was no answer within ${timeoutMs} ms.`;
      sendProblem(res, problemOf(503, detail), { 'Retry-After': '1' });
    }, timeoutMs);
    res.once('close', () => clearTimeout(timer));
    next();
  };
}
