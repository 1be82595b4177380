import express, { type Express } from 'express';
import helmet from 'helmet';
import { type Logger } from 'pino';
import { deadline } from './limits/deadline.js';
import { layersOf } from './express-routes.js';
import { answerRequestId } from './request/request-id.js';
import { requestLog } from './request/request-log.js';
import { type PathGuard, routeGate } from './request/route-gate.js';
import { markSkippable } from './request/skippable.js';

export interface ExpressOptions {
  readonly requestTimeoutMs: number;
  readonly logger: Logger;
  /** Stands before what is mounted where not everyone may go. */
  readonly guard?: PathGuard;
}

/** An Express application with what runs before every route. Paths are case-sensitive, bodies are not parsed here. */
export function createExpress({ requestTimeoutMs, logger, guard }: ExpressOptions): Express {
  const app = express();
  app.enable('case sensitive routing');
  app.disable('x-powered-by');
  app.disable('etag');
  app.disable('trust proxy');
  app.set('query parser', 'simple');
  const gate = routeGate(() => layersOf(app), guard);
  const own = [securityHeaders(), answerRequestId, requestLog(logger), deadline(requestTimeoutMs), gate];
  app.use(own.map((step) => markSkippable(step)));
  return app;
}

/** Helmet's headers, the same on every answer; the policy lets the Swagger page run and nothing from elsewhere. */
function securityHeaders() {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'self'"],
        'base-uri': ["'self'"],
        'form-action': ["'self'"],
        'frame-ancestors': ["'self'"],
        'img-src': ["'self'", 'data:'],
        'object-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'", "'unsafe-inline'"],
      },
    },
  });
}
