import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Request, type Response } from 'express';
import { defer, from, lastValueFrom, map, type Observable } from 'rxjs';
import { Settings } from '../../config/index.js';
import { Clock } from '../clock.js';
import { maxKeyLength } from './canonical-key.js';
import { type CacheResponseOptions, cacheResponseMetadata } from './cache-response.decorator.js';
import { member } from './cache-status.js';
import { FastLane } from './lane/fast-lane.js';
import { Representations } from './representations.js';
import { type Handler, type Outcome, ResponseCache } from './response-cache.js';
import { ageSeconds } from './stored-response.js';

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
    private readonly representations: Representations,
    private readonly lane: FastLane,
    private readonly clock: Clock,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const options = this.reflector.get<CacheResponseOptions | undefined>(cacheResponseMetadata, context.getHandler());
    if (!options || context.getType() !== 'http') return next.handle();
    const request = context.switchToHttp().getRequest<Request>();
    const key = options.key(request);
    const handler: Handler = () => lastValueFrom(next.handle());
    return defer(() => from(this.#outcome(key, request, handler))).pipe(
      map((outcome) => this.#send(outcome, key, context)),
    );
  }

  #outcome(key: string | undefined, request: Request, handler: Handler): Promise<Outcome> {
    if (!this.settings.cacheApi) return this.responses.bypass(handler, 'disabled');
    if (key === undefined || key.length > maxKeyLength) return this.responses.bypass(handler, 'uncacheable');
    return this.responses.respond(key, handler, wantsRenewal(request));
  }

  #send(outcome: Outcome, key: string | undefined, context: ExecutionContext): string | Buffer {
    const { response: stored, error, db, api } = outcome;
    const request = context.switchToHttp().getRequest<Request>();
    const response = context.switchToHttp().getResponse<Response>();
    const status = [...(db ? [member('db', db)] : []), member('api', api)].join(', ');
    response.set('Cache-Status', status);
    if (!stored) throw error;
    const chosen = this.representations.choose(stored, request.headers['accept-encoding'], api.hit);
    response.vary('Accept-Encoding').set({
      ETag: chosen.etag,
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-cache',
    });
    if (chosen.encoding !== 'identity' && !request.fresh) response.set('Content-Encoding', chosen.encoding);
    if (!api.hit) return chosen.body;
    response.set('Age', String(ageSeconds(stored, this.clock.wallMs())));
    if (key === undefined || api.level !== 'l1' || api.ttlMs <= 0) return chosen.body;
    const refusal = this.lane.learn(context, { key, stored, chosen });
    if (refusal) response.set('Cache-Status', `${status}; strata-lane=${refusal}`);
    return chosen.body;
  }
}

/** Request `no-cache` (RFC 9111, 5.2.1.4), and `Pragma` where there is no `Cache-Control` (5.4). */
function wantsRenewal({ headers }: Request): boolean {
  const directives = headers['cache-control'] ?? headers.pragma ?? '';
  return /(?:^|[\s,])no-cache(?:$|[\s,;=])/i.test(directives);
}
