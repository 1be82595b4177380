// @ts-check
import { spec } from '../catchers.mjs';

const levels = 'src/cache/api/response-levels.ts';
const cache = 'src/cache/api/response-cache.ts';
const outcome = 'src/cache/api/outcome.ts';
const verdict = 'src/cache/api/verdict.ts';
const unsafe = 'src/cache/api/unsafe-requests.interceptor.ts';
const cacheRequest = 'src/cache/api/cache-request.ts';
const keys = 'http/caching-keys.e2e-spec';

/** Whole responses: whose they are, and what they depend on. @type {import('../mutants.mjs').Mutant[]} */
export const responseMutants = [
  {
    name: 'response-authorized',
    guard: 'a stored response answers a request with Authorization only if it says so',
    file: levels,
    find: 'if (isAuthorized(request) && !stored.own?.forAuthorized) return undefined;',
    replace: '',
    by: [spec('http/caching.e2e-spec', 'for a request with Authorization')],
  },
  {
    name: 'response-joined',
    guard: 'a response goes to those who waited for it only if it fits their request',
    file: cache,
    find: 'if (joined && !outcome.fits(request)) return this.#misfit(request, handler, outcome);',
    replace: '',
    by: [spec('http/caching.e2e-spec', 'is not handed to anybody who waited')],
  },
  {
    name: 'response-joined-variant',
    guard: 'a response goes to those who waited for it only if they chose the same variant',
    file: outcome,
    find: 'return (other) => same(other) && (',
    replace: 'return (other) => same !== undefined && (',
    by: [spec('http/caching-changes.e2e-spec', 'is not given to a request of another variant')],
  },
  {
    name: 'response-refused',
    guard: 'a response that must not be stored is not kept',
    file: verdict,
    find: 'life: refusal === undefined && dependencies',
    replace: 'life: dependencies',
    by: [spec('http/caching.e2e-spec', 'a response that is not to be stored')],
  },
  {
    name: 'response-parts-life',
    guard: 'a response is fresh for no longer than what it was made of',
    file: verdict,
    find: 'Math.min(ownMs ?? 0, parts?.freshMs ?? Infinity, longestMs)',
    replace: 'Math.min(ownMs ?? 0, longestMs)',
    by: [spec('http/caching-entities.e2e-spec', 'is as fresh as it says')],
  },
  {
    name: 'response-host',
    guard: 'a response is kept for the host that was asked for',
    file: cacheRequest,
    find: 'uriKey(target, host)',
    replace: 'uriKey(target)',
    by: [spec('http/caching.e2e-spec', 'for another host')],
  },
  {
    name: 'unsafe-invalidates',
    guard: 'an unsafe request makes the responses of its URI invalid',
    file: unsafe,
    find: 'const delivered = this.delivery.deliver(tags, () => this.tags.invalidate(tags));',
    replace: 'const delivered = Promise.resolve(tags);',
    by: [spec('http/caching-changes.e2e-spec', 'makes the responses of its URI invalid')],
  },
  {
    name: 'unsafe-kept',
    guard: 'what an unsafe request makes invalid is kept until Redis can be told',
    file: unsafe,
    find: 'const delivered = this.delivery.deliver(tags, () => this.tags.invalidate(tags));',
    replace: 'const delivered = this.tags.invalidate(tags);',
    by: [spec('http/caching-changes.e2e-spec', 'although Redis could not be told')],
  },
  {
    name: 'uri-stamp-first',
    guard: "a response that is not made of entities alone depends on its URI's stamp, taken before its handler ran",
    file: 'src/cache/api/response-maker.ts',
    find: "const stamps = request.route.reads === 'entities' ? [] : await this.#uriStamp(request, blocked, placeholder);",
    replace: 'const stamps: [] = [];',
    by: [spec('http/caching-changes.e2e-spec', 'makes the responses of its URI invalid')],
  },
  {
    name: 'response-cookie',
    guard: 'to a request with a cookie nothing is given, and its answer is not kept, unless the route says so',
    file: cacheRequest,
    find: 'if (isPersonal(request.headers, route)) return undefined;',
    replace: '',
    by: [spec(keys, 'fills nothing, and gets nothing that others have filled')],
  },
  {
    name: 'response-route',
    guard: "a route's key is of that route alone",
    file: cacheRequest,
    find: '`${place.route} ${uri}`, uri, beyondUrl',
    replace: 'uri, uri, beyondUrl',
    by: [spec(keys, 'is of that route alone')],
  },
];
