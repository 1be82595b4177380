import { SetMetadata } from '@nestjs/common';
import { type Request } from 'express';

/** All of a request that a key may be made of: nothing that its header fields say can make, or change, an entry. */
export type KeyedRequest = Pick<Request, 'params' | 'query'>;

export interface CacheResponseOptions {
  /**
   * The canonical form of the request's path and query: requests for the same answer have the same key, and a request
   * that the route will refuse has none. A garbage URL must never make a key.
   */
  readonly key: (request: KeyedRequest) => string | undefined;
}

export const cacheResponseMetadata = 'strata:cache-response';

/** Keeps whole responses of a GET handler in the api layer. What they depend on is collected while they are made. */
export const CacheResponse = (options: CacheResponseOptions): MethodDecorator =>
  SetMetadata(cacheResponseMetadata, options);
