import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Request, type Response } from 'express';
import { defer, from, lastValueFrom, map, type Observable } from 'rxjs';
import { Settings } from '../../config/index.js';
import { Clock } from '../clock.js';
import { type CacheResponseOptions, cacheResponseMetadata } from './cache-response.decorator.js';
import { member } from './cache-status.js';
import { type Handler, type Outcome, ResponseCache } from './response-cache.js';

/**
 * Answers the GET and HEAD requests of routes that declare `@CacheResponse` from the api layer. It returns the exact bytes
 * with their strong entity tag; `If-None-Match` (304) and HEAD are then Express's, as for any other answer.
 */
@Injectable()
export class CacheResponseInterceptor implements NestInterceptor {
  constructor(
    private readonly settings: Settings,
    private readonly reflector: Reflector,
    private readonly responses: ResponseCache,
    private readonly clock: Clock,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const options = this.reflector.get<CacheResponseOptions | undefined>(cacheResponseMetadata, context.getHandler());
    if (!options || context.getType() !== 'http') return next.handle();
    const request = context.switchToHttp().getRequest<Request>();
    const response = context.switchToHttp().getResponse<Response>();
    const handler: Handler = () => lastValueFrom(next.handle());
    return defer(() => from(this.#outcome(options, request, handler))).pipe(
      map((outcome) => this.#send(outcome, response)),
    );
  }

  #outcome(options: CacheResponseOptions, request: Request, handler: Handler): Promise<Outcome> {
    if (!this.settings.cacheApi) return this.responses.bypass(handler, 'disabled');
    const key = options.key(request);
    if (key === undefined) return this.responses.bypass(handler, 'uncacheable');
    return this.responses.respond(key, handler, wantsRenewal(request));
  }

  #send({ response: stored, error, db, api }: Outcome, response: Response): string {
    response.set('Cache-Status', [...(db ? [member('db', db)] : []), member('api', api)].join(', '));
    if (!stored) throw error;
    response.set({
      ETag: stored.etag,
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-cache',
    });
    if (api.hit) response.set('Age', String(Math.max(0, Math.floor((this.clock.wallMs() - stored.madeAtMs) / 1000))));
    return stored.body;
  }
}

/** Request `no-cache` (RFC 9111, 5.2.1.4), and `Pragma` where there is no `Cache-Control` (5.4). */
function wantsRenewal({ headers }: Request): boolean {
  const directives = headers['cache-control'] ?? headers.pragma ?? '';
  return /(?:^|[\s,])no-cache(?:$|[\s,;=])/i.test(directives);
}
