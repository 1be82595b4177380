import { memoize } from '../../../http/index.js';

/**
 * Why a request is not the lane's to answer: for something in it, for its route, or for the answer. A closed set: it is told
 * in `Cache-Status`.
 */
export type LaneRefusal =
  | 'method'
  | 'authorization'
  | 'cookie'
  | 'range'
  | 'expect'
  | 'body'
  | 'directives'
  | 'conditional'
  | 'request-id'
  | 'repeated'
  | 'accept'
  | 'header'
  | 'guarded'
  | 'interceptor'
  | 'middleware'
  | 'host'
  | 'version'
  | 'no-key'
  | 'own-fields'
  | 'field'
  | 'changed';

/** A field of a request that takes part in choosing an answer. */
export type Choosing = 'accept' | 'accept-encoding' | 'if-none-match';

/** How the lane takes a field: it has no say in the answer, it chooses among the recorded ones, or it forbids them. */
export type Handling = 'irrelevant' | Choosing | { readonly refused: LaneRefusal };

const choosing: readonly Choosing[] = ['accept', 'accept-encoding', 'if-none-match'];

/** A shared answer is the same whatever these say; a request with a field that is not named here is not the lane's. */
const irrelevant = `
  host connection keep-alive proxy-connection user-agent from referer priority te dnt sec-gpc save-data
  upgrade-insecure-requests accept-language accept-charset forwarded via
  x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port x-forwarded-prefix x-real-ip x-requested-with
  traceparent tracestate sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform
  sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user sec-purpose
`;

const refused: Readonly<Record<string, LaneRefusal>> = {
  authorization: 'authorization',
  'proxy-authorization': 'authorization',
  cookie: 'cookie',
  range: 'range',
  'if-range': 'range',
  expect: 'expect',
  'content-length': 'body',
  'content-type': 'body',
  'content-encoding': 'body',
  'transfer-encoding': 'body',
  trailer: 'body',
  'cache-control': 'directives',
  pragma: 'directives',
  'if-modified-since': 'conditional',
  'if-unmodified-since': 'conditional',
  'if-match': 'conditional',
  'x-request-id': 'request-id',
};

const handlings = new Map<string, Handling>([
  ...irrelevant
    .trim()
    .split(/\s+/)
    .map((name) => [name, 'irrelevant'] as const),
  ...choosing.map((name) => [name, name] as const),
  ...Object.entries(refused).map(([name, refusal]) => [name, { refused: refusal }] as const),
]);

/** @param name as it was sent, in any capitals */
export const handlingOf = memoize(
  (name: string): Handling => handlings.get(name.toLowerCase()) ?? { refused: 'header' },
);

/**
 * Fields of an answer whose values depend on nothing but the representation and the application. An answer with any other
 * field (`Set-Cookie`, a request's id, CORS) is not recorded.
 */
export const representationFields: ReadonlySet<string> = new Set([
  'age',
  'cache-groups',
  'cache-status',
  'cdn-cache-control',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'etag',
]);

export const applicationFields: ReadonlySet<string> = new Set([
  'cache-control',
  'content-security-policy',
  'cross-origin-embedder-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'origin-agent-cluster',
  'permissions-policy',
  'referrer-policy',
  'strict-transport-security',
  'vary',
  'x-content-type-options',
  'x-dns-prefetch-control',
  'x-download-options',
  'x-frame-options',
  'x-permitted-cross-domain-policies',
  'x-xss-protection',
]);

/** @param name in any capitals */
export const isKnownField = (name: string): boolean =>
  representationFields.has(name.toLowerCase()) || applicationFields.has(name.toLowerCase());
