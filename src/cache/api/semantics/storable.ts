import { type Directives, listedFields } from './directives.js';
import { type Fields, field, members } from './fields.js';
import { effectiveDirectives } from './response-terms.js';

/** Why a response may not be stored. */
export type StorageRefusal =
  | 'request-no-store'
  | 'partial'
  | 'never'
  | 'not-understood'
  | 'no-store'
  | 'private'
  | 'set-cookie'
  | 'vary'
  | 'authorization';

export interface StorabilityOfRequest {
  /** It carried `Authorization`. */
  readonly authorized: boolean;
  /** Its `Cache-Control` said `no-store`. */
  readonly noStore: boolean;
}

/** Statuses whose meaning for caches this one implements: what `must-understand` asks for (RFC 9111, 5.2.2.3). */
const understood = new Set([200, 203, 204, 300, 301, 302, 303, 307, 308, 400, 403, 404, 405, 410, 414, 451, 501, 503]);

/** Answers to a condition or a range: no complete response of their own (RFC 9111, 3.3 and 4.3). */
const partial = new Set([206, 304, 412, 416]);

/** About one request or one network, whatever their fields say (RFC 6585, 3 to 6). */
const neverStored = new Set([428, 429, 431, 511]);

/** Statuses that a cache may keep although nothing says for how long (RFC 9110, 15.1); 206 is no complete response. */
const keptByDefault = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);

/** @param further those of the route */
export const mayHaveLifetime = (status: number, further: readonly number[] = []): boolean =>
  keptByDefault.has(status) || further.includes(status);

/**
 * Why a shared cache must not store the response to a GET (RFC 9111, 3); undefined if it may. Stricter than it in one
 * point: a response with `Set-Cookie` is somebody's own and never stored.
 * @param targeted whether `CDN-Cache-Control` is listened to
 */
export function refuseStorage(
  request: StorabilityOfRequest,
  status: number,
  fields: Fields,
  targeted = false,
): StorageRefusal | undefined {
  const { directives } = effectiveDirectives(fields, targeted);
  if (request.noStore) return 'request-no-store';
  if (status < 200 || partial.has(status)) return 'partial';
  if (neverStored.has(status)) return 'never';
  if (directives.has('must-understand')) {
    if (!understood.has(status)) return 'not-understood';
  } else if (directives.has('no-store')) return 'no-store';
  if (directives.has('private')) return 'private';
  if (fields['set-cookie'] !== undefined) return 'set-cookie';
  if (members(field(fields, 'vary')).includes('*')) return 'vary';
  return request.authorized && !allowsAuthorized(directives) ? 'authorization' : undefined;
}

/** Whether others may have what was made for a request with `Authorization` (RFC 9111, 3.5). */
export const allowsAuthorized = (directives: Directives): boolean =>
  ['public', 'must-revalidate', 's-maxage'].some((name) => directives.has(name));

/** Fields of one connection or one exchange, and those that each answer gets anew (RFC 9111, 3.1; RFC 9110, 7.6.1). */
const ofTheConnection = new Set([
  ...['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'proxy-connection'],
  ...[
    'proxy-authenticate',
    'proxy-authentication-info',
    'proxy-authorization',
    'age',
    'cache-status',
    'content-length',
  ],
]);

/** Whether a field belongs to the response rather than to the connection that it came by. */
export function passedOn(fields: Fields): (name: string) => boolean {
  const named = new Set(members(field(fields, 'connection')).map((name) => name.toLowerCase()));
  return (name) => !ofTheConnection.has(name.toLowerCase()) && !named.has(name.toLowerCase());
}

/** Whether a field of it is stored: not where an argument of `no-cache` names it (RFC 9111, 5.2.2.4). */
export function storedFields(fields: Fields, targeted = false): (name: string) => boolean {
  const { directives } = effectiveDirectives(fields, targeted);
  const named = new Set(listedFields(directives.get('no-cache')));
  return (name) => !named.has(name.toLowerCase());
}
