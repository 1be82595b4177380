import { type Request } from 'express';
import { maxKeyLength } from './canonical-key.js';
import { type CacheResponseOptions } from './cache-response.decorator.js';
import { type Fields } from './semantics/fields.js';
import { anyAnswer, requestTerms, type RequestTerms } from './semantics/request-terms.js';

/** A request as the api layer sees it. */
export interface Ask {
  readonly key: string;
  readonly fields: Fields;
  readonly terms: RequestTerms;
  readonly route: CacheResponseOptions;
}

/**
 * The key of a route that has no function for it: host, path and query (RFC 9111, 2), the parameters in order of their names.
 * @param host as the client sent it; without it, what is left is what a route's own function may call its URI
 */
export function uriKey(target: string, host?: string): string {
  const [path = '', query = ''] = target.split(/\?(.*)/s, 2);
  const nameOf = (pair: string) => pair.split('=', 1)[0]!;
  const pairs = query.split('&').filter((pair) => pair !== '');
  pairs.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0));
  return `${host === undefined ? '' : `//${host.toLowerCase()}`}${path}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`;
}

/** Undefined where the route's own function has no key for the request, or one that is too long or has line breaks. */
export function askOf(request: Request, route: CacheResponseOptions): Ask | undefined {
  const key = route.key ? route.key(request) : uriKey(request.originalUrl, request.headers.host ?? '');
  return key === undefined || key.length > maxKeyLength || key.includes('\n')
    ? undefined
    : { key, fields: request.headers, terms: requestTerms(request.headers), route };
}

/** A request for the answer of one key, of a route that reads nothing but entities. */
export const plainAsk = (key: string, renew = false): Ask => ({
  key,
  fields: {},
  terms: { ...anyAnswer, noCache: renew },
  route: { key: () => key, reads: 'entities' },
});

/** Whether the request is somebody's own, as far as the route lets that matter. */
export const isAuthorized = ({ fields, route }: Ask): boolean => !route.key && fields['authorization'] !== undefined;
