import { type IncomingMessage } from 'node:http';
import { type RequestHandler } from 'express';

const safe = /^[A-Za-z0-9._:/+=@-]{1,128}$/;

/** The id that the client gave this request, if it is short and harmless to log and to answer. */
export function requestIdOf(req: IncomingMessage): string | undefined {
  const id = req.headers['x-request-id'];
  return typeof id === 'string' && safe.test(id) ? id : undefined;
}

/** Answers `X-Request-Id` to requests that sent one; others get no header of their own. */
export const answerRequestId: RequestHandler = (req, res, next) => {
  const id = requestIdOf(req);
  if (id !== undefined) res.setHeader('X-Request-Id', id);
  next();
};
