import { type CallHandler, type ExecutionContext, Injectable, Logger, type NestInterceptor } from '@nestjs/common';
import { type Request, type Response } from 'express';
import { type Observable } from 'rxjs';
import { EveryRequest, Skippable } from '../../http/index.js';
import { InvalidationDelivery } from '../delivery.js';
import { uriTag } from '../engine/addresses.js';
import { RedisTags } from '../levels/l2/redis-tags.js';
import { targetOf, uriKey } from './cache-request.js';
import { CachedRoutes } from './cached-routes.js';
import { invalidatedUris, isSafe } from './semantics/invalidated-uris.js';

/**
 * Makes the responses of a URI invalid once an unsafe request to it has succeeded, before that is answered (RFC 9111, 4.4).
 * However it is answered, by a value, a redirection or the handler itself, an answer is complete with `end`: that waits.
 * What was read through the cache needs no such care: writers make it invalid wherever they write.
 */
@Injectable()
@Skippable()
@EveryRequest()
export class UnsafeRequestsInterceptor implements NestInterceptor {
  readonly #logger = new Logger('Cache');

  constructor(
    private readonly routes: CachedRoutes,
    private readonly tags: RedisTags,
    private readonly delivery: InvalidationDelivery,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    if (context.getType() === 'http' && !isSafe(request.method) && this.routes.anyByUri)
      this.#holdBack(request, http.getResponse<Response>());
    return next.handle();
  }

  #holdBack(request: Request, response: Response): void {
    const end = response.end.bind(response) as (...args: unknown[]) => Response;
    let called = false;
    response.end = ((...args: unknown[]) => {
      const tags = called ? [] : tagsOf(request, response);
      if (tags.length === 0) return called ? response : end(...args);
      called = true;
      const delivered = this.delivery.deliver(tags, () => this.tags.invalidate(tags));
      void delivered.catch((error: Error) => this.#logger.error(error)).then(() => end(...args));
      return response;
    }) as Response['end'];
  }
}

/** As a route without a key calls its URIs, and as one with a key may. */
function tagsOf(request: Request, response: Response): string[] {
  const { uri, host } = targetOf(request);
  const uris = invalidatedUris(uri, host, response.statusCode, response.getHeaders());
  return uris.flatMap((invalid) => [uriTag(uriKey(invalid, host)), uriTag(uriKey(invalid))]);
}
