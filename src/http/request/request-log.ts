import { type ServerResponse } from 'node:http';
import { type RequestHandler } from 'express';
import { type Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import { requestIdOf } from './request-id.js';

/** One line per request: server errors always, the rest at `debug`. Headers are never logged. */
export function requestLog(logger: Logger): RequestHandler {
  let count = 0;
  return pinoHttp({
    logger,
    quietReqLogger: true,
    genReqId: (req) => requestIdOf(req) ?? (count += 1),
    customLogLevel: (_req, res: ServerResponse) => (res.statusCode >= 500 ? 'warn' : 'debug'),
    customErrorObject: (_req, _res, _error, fields: object) => ({ ...fields, err: undefined }),
    serializers: {
      req: ({ method, url, remoteAddress }: Record<string, unknown>) => ({ method, url, remoteAddress }),
      res: ({ statusCode }: Record<string, unknown>) => ({ statusCode }),
    },
  });
}
