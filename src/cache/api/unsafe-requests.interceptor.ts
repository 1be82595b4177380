import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { type Request, type Response } from 'express';
import { concatMap, type Observable } from 'rxjs';
import { Skippable } from '../../http/index.js';
import { InvalidationDelivery } from '../delivery.js';
import { uriTag } from '../engine/addresses.js';
import { RedisTags } from '../levels/l2/redis-tags.js';
import { uriKey } from './ask.js';
import { CachedRoutes } from './cached-routes.js';
import { invalidatedUris, isSafe } from './semantics/invalidated-uris.js';

/**
 * Makes the responses of a URI invalid once an unsafe request to it has succeeded, before that is answered (RFC 9111, 4.4).
 * What was read through the cache needs no such care: writers make it invalid wherever they write.
 */
@Injectable()
@Skippable()
export class UnsafeRequestsInterceptor implements NestInterceptor {
  constructor(
    private readonly routes: CachedRoutes,
    private readonly tags: RedisTags,
    private readonly delivery: InvalidationDelivery,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const request = context.switchToHttp().getRequest<Request>();
    if (context.getType() !== 'http' || isSafe(request.method) || !this.routes.anyByUri) return next.handle();
    const response = context.switchToHttp().getResponse<Response>();
    return next.handle().pipe(
      concatMap(async (value) => {
        const uris = invalidatedUris(
          request.originalUrl,
          request.headers.host,
          response.statusCode,
          response.getHeaders(),
        );
        const { host = '' } = request.headers;
        const tags = uris.flatMap((uri) => [uriTag(uriKey(uri, host)), uriTag(uriKey(uri))]);
        if (tags.length > 0) await this.delivery.deliver(tags, () => this.tags.invalidate(tags));
        return value;
      }),
    );
  }
}
