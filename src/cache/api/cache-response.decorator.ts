import { SetMetadata } from '@nestjs/common';
import { type Request } from 'express';

/** All of a request that a key may be made of. */
export interface KeyedRequest extends Pick<Request, 'params' | 'query'> {
  /** The `Host` field, in lower case. A key that looks at it is none for the fast lane, which goes by the URL alone. */
  readonly host: string;
  /** The version that was asked for (`enableVersioning`), in whatever way; undefined where none was. Of a key, see `host`. */
  readonly version: string | undefined;
}

/** Everything is optional: `@CacheResponse()` obeys what the handler says with its own header fields. */
export interface CacheResponseOptions {
  /**
   * The canonical form of the request's path and query: requests for the same answer have the same key, and a request
   * that the route will refuse has none. A garbage URL must never make a key. Whoever gives one vouches that nothing else
   * of a request (`Accept-Language`, …) makes a difference, but for what `vary` names.
   * Without it the key is the URI with its host, the version, `Accept-Language` and `X-Forwarded-…`.   */
  readonly key?: (request: KeyedRequest) => string | undefined;
  /**
   * Whose keys the function makes. `route`: no other route can have the same ones. `application`: the key alone names the
   * answer, for warmers and inspectors, too; every route that makes it has the same answers.
   * @default 'route'
   */
  readonly keyScope?: 'route' | 'application';
  /**
   * Request fields that make no difference to the answer, though by default they do: with `authorization`, only what is
   * meant for everybody is stored or served (RFC 9111, 3.5); with a `cookie`, nothing is; `accept-language` is part of the key where the route has no function for it.
   */
  readonly ignores?: readonly ('authorization' | 'cookie' | 'accept-language')[];
  /**
   * `entities`: all that the answer says was read through the cache, so that its tags know when it changes, and unsafe
   * requests to its URI are no reason to drop it. Spares a miss one command.
   */
  readonly reads?: 'entities';
  /** For how long an answer is fresh that reads nothing cached and says nothing itself, in ms; otherwise it is not kept. */
  readonly ttlMs?: number;
  /**
   * Statuses that are kept by `ttlMs`, or by the lifetime of what was read, besides those that HTTP keeps by default: 200, 203,
   * 204, 300, 301, 308, 404, 405, 410, 414 and 501. A handler that says for how long decides for any status, but for 428, 429,
   * 431 and 511, which are never kept.
   */
  readonly statuses?: readonly number[];
  /** Request fields that select the answer, besides those that the handler names in `Vary`. */
  readonly vary?: readonly string[];
  /** Says in `Cache-Groups` what the answer was made of (RFC 9875). */
  readonly groups?: boolean;
  /**
   * Speaks RFC 9213: a handler's `CDN-Cache-Control` is obeyed before its `Cache-Control`; where it says neither, CDNs are
   * told to keep the answer for so many seconds (not under `strict`).
   */
  readonly cdn?: { readonly maxAgeS?: number };
  /**
   * The fast lane answers hits of this route, though guards, interceptors or middleware stand before it: says that they
   * let everybody through, and do nothing that has to be done for each request.
   */
  readonly fastLane?: true;
  /** Answers `Range` requests from whole answers (RFC 9110, 14). */
  readonly ranges?: boolean;
}

export const cacheResponseMetadata = 'strata:cache-response';

/** Keeps whole responses of a GET handler in the api layer. What they depend on is collected while they are made. */
export const CacheResponse = (options: CacheResponseOptions = {}): MethodDecorator =>
  SetMetadata(cacheResponseMetadata, options);
