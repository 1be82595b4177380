import { type Request } from 'express';
import { maxKeyLength } from './canonical-key.js';
import { type CacheResponseOptions, type KeyedRequest } from './cache-response.decorator.js';
import { type RoutePlace } from './route-places.js';
import { type Fields, field, members } from './semantics/fields.js';
import { anyAnswer, requestTerms, type RequestTerms } from './semantics/request-terms.js';

/** A request as the api layer sees it. */
export interface CacheRequest {
  readonly key: string;
  /** What an unsafe request names to make the answer invalid. */
  readonly uri: string;
  /** What of a request but its URL its key was made of, for one who goes by the URL alone. */
  readonly beyondUrl?: 'host' | 'version' | undefined;
  readonly fields: Fields;
  readonly terms: RequestTerms;
  readonly route: CacheResponseOptions;
}

/**
 * The key of a URI: host, path and query (RFC 9111, 2), the parameters in order of their names.
 * @param host as the client sent it; without it, what is left is what a route's own function may call its URI
 */
export function uriKey(target: string, host?: string): string {
  const [path = '', query = ''] = target.split(/\?(.*)/s, 2);
  const nameOf = (pair: string) => pair.split('=', 1)[0]!;
  const pairs = query.split('&').filter((pair) => pair !== '');
  pairs.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0));
  return `${host === undefined ? '' : `//${host.toLowerCase()}`}${path}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`;
}

/** Path and query of a request, and the host that it is for: in absolute form its target names both (RFC 9112, 3.2.2). */
export function targetOf({ originalUrl, headers }: Pick<Request, 'originalUrl' | 'headers'>): Target {
  const [, authority, rest] = /^https?:\/\/([^/?#]*)([^#]*)/i.exec(originalUrl) ?? [];
  if (authority === undefined || rest === undefined) return { uri: originalUrl, host: headers.host ?? '' };
  return { uri: rest.startsWith('/') ? rest : `/${rest}`, host: authority.slice(authority.lastIndexOf('@') + 1) };
}

export interface Target {
  readonly uri: string;
  readonly host: string;
}

/**
 * Undefined where nothing is stored or served: the route's own function has no key for the request, or one that is too long
 * or has line breaks; the host is none; or there is a cookie, and the route does not say that it may be ignored.
 */
export function cacheRequestOf(
  request: Request,
  route: CacheResponseOptions,
  place: RoutePlace,
): CacheRequest | undefined {
  if (isPersonal(request.headers, route)) return undefined;
  const named = route.key ? ownKey(route, request, place) : defaultKey(request, route, place);
  if (!named || named.key.length > maxKeyLength || named.key.includes('\n')) return undefined;
  return { ...named, fields: request.headers, terms: requestTerms(request.headers), route };
}

type Named = Pick<CacheRequest, 'key' | 'uri' | 'beyondUrl'>;

function ownKey({ key, keyScope }: CacheResponseOptions, request: Request, place: RoutePlace): Named | undefined {
  let beyondUrl: CacheRequest['beyondUrl'];
  const keyed: KeyedRequest = {
    params: request.params,
    query: request.query,
    get host() {
      beyondUrl = 'host';
      return targetOf(request).host.toLowerCase();
    },
    get version() {
      beyondUrl ??= 'version';
      return place.version;
    },
  };
  const uri = key?.(keyed);
  if (uri === undefined) return undefined;
  return { key: keyScope === 'application' ? uri : `${place.route} ${uri}`, uri, beyondUrl };
}

/** A name or an address, and a port: anything else could be mistaken for the beginning of a path. */
const plainHost = /^[\w.~:[\]-]*$/;

/** What a proxy says of the URI that its client asked for: Express takes `host` and `protocol` from these, if it trusts it. */
const forwarded = ['host', 'proto', 'port', 'prefix'].map((what) => `x-forwarded-${what}`);

/** URI, route, version, and what else a handler's answer may depend on without its saying so. */
function defaultKey(request: Request, { ignores = [] }: CacheResponseOptions, place: RoutePlace): Named | undefined {
  const { headers } = request;
  const { uri: target, host } = targetOf(request);
  if (!plainHost.test(host)) return undefined;
  const uri = uriKey(target, host);
  const language = ignores.includes('accept-language') ? undefined : languages(headers);
  const others = [place.version, language, ...forwarded.map((name) => field(headers, name))];
  const rest = others.some((value) => value !== undefined) ? ` ${JSON.stringify(others)}` : '';
  return { key: `${place.route} ${uri}${rest}`, uri };
}

/** In one spelling (RFC 9110, 12.5.4). */
function languages(headers: Fields): string | undefined {
  const value = field(headers, 'accept-language');
  return value === undefined ? undefined : members(value).join().toLowerCase().replace(/\s/g, '');
}

/** Whether it has a cookie that the route does not know how to take. */
function isPersonal(headers: Fields, { ignores = [], vary = [] }: CacheResponseOptions): boolean {
  if (headers['cookie'] === undefined || ignores.includes('cookie')) return false;
  return !vary.some((name) => name.toLowerCase() === 'cookie');
}

/** A request for the answer of one key, of a route that reads nothing but entities. */
export const plainRequest = (key: string, renew = false): CacheRequest => ({
  key,
  uri: key,
  fields: {},
  terms: { ...anyAnswer, noCache: renew },
  route: { key: () => key, reads: 'entities' },
});

/** Whether the request is somebody's own, as far as the route lets that matter. */
export const isAuthorized = ({ fields, route }: CacheRequest): boolean =>
  fields['authorization'] !== undefined && !route.ignores?.includes('authorization');
