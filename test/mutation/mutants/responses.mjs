// @ts-check
import { spec } from '../catchers.mjs';

const levels = 'src/cache/api/response-levels.ts';
const cache = 'src/cache/api/response-cache.ts';
const outcome = 'src/cache/api/outcome.ts';
const verdict = 'src/cache/api/verdict.ts';
const unsafe = 'src/cache/api/unsafe-requests.interceptor.ts';
const ask = 'src/cache/api/ask.ts';
const keys = 'http.caching-keys.e2e-spec';

/** Whole responses: whose they are, and what they depend on. @type {import('../mutants.mjs').Mutant[]} */
export const responseMutants = [
  {
    name: 'response-authorized',
    guard: 'a stored response answers a request with Authorization only if it says so',
    file: levels,
    find: 'if (isAuthorized(ask) && !stored.own?.forAuthorized) return undefined;',
    replace: '',
    by: [spec('http.caching.e2e-spec', 'for a request with Authorization')],
  },
  {
    name: 'response-joined',
    guard: 'a response goes to those who waited for it only if it fits their request',
    file: cache,
    find: 'if (joined && !outcome.fits(ask)) return this.#misfit(ask, handler, outcome);',
    replace: '',
    by: [spec('http.caching.e2e-spec', 'is not handed to anybody who waited')],
  },
  {
    name: 'response-joined-variant',
    guard: 'a response goes to those who waited for it only if they chose the same variant',
    file: outcome,
    find: 'return (other) => same(other) && (',
    replace: 'return (other) => same !== undefined && (',
    by: [spec('http.caching-changes.e2e-spec', 'is not given to a request of another variant')],
  },
  {
    name: 'response-refused',
    guard: 'a response that must not be stored is not kept',
    file: verdict,
    find: 'life: refusal === undefined && dependencies',
    replace: 'life: dependencies',
    by: [spec('http.caching.e2e-spec', 'a response that is not to be stored')],
  },
  {
    name: 'response-parts-life',
    guard: 'a response is fresh for no longer than what it was made of',
    file: verdict,
    find: 'Math.min(ownMs ?? 0, parts?.freshMs ?? Infinity, longestMs)',
    replace: 'Math.min(ownMs ?? 0, longestMs)',
    by: [spec('http.caching-entities.e2e-spec', 'is as fresh as it says')],
  },
  {
    name: 'response-host',
    guard: 'a response is kept for the host that was asked for',
    file: ask,
    find: 'uriKey(target, host)',
    replace: 'uriKey(target)',
    by: [spec('http.caching.e2e-spec', 'for another host')],
  },
  {
    name: 'unsafe-invalidates',
    guard: 'an unsafe request makes the responses of its URI invalid',
    file: unsafe,
    find: 'const delivered = this.delivery.deliver(tags, () => this.tags.invalidate(tags));',
    replace: 'const delivered = Promise.resolve(tags);',
    by: [spec('http.caching-changes.e2e-spec', 'makes the responses of its URI invalid')],
  },
  {
    name: 'unsafe-kept',
    guard: 'what an unsafe request makes invalid is kept until Redis can be told',
    file: unsafe,
    find: 'const delivered = this.delivery.deliver(tags, () => this.tags.invalidate(tags));',
    replace: 'const delivered = this.tags.invalidate(tags);',
    by: [spec('http.caching-changes.e2e-spec', 'although Redis could not be told')],
  },
  {
    name: 'unsafe-answer-waits',
    guard: 'an unsafe request is answered once what it changes is invalid',
    file: unsafe,
    find: '.then(() => end(...args));',
    replace: ';\n      end(...args);',
    by: [spec('http.stored.e2e-spec', 'before it is answered')],
  },
  {
    name: 'response-late-cookie',
    guard: 'an answer that middleware adds a cookie to as it is sent is not stored',
    file: 'src/cache/api/response-maker.ts',
    find: 'if (!sent || !response || refuseSent(',
    replace: 'if (sent === null || !response || !refuseSent(',
    by: [spec('http.stored.e2e-spec', 'a session adds its cookie')],
  },
  {
    name: 'response-interceptors-within',
    guard: 'interceptors that have a hand in an answer run inside the cache',
    file: 'src/cache/api/interceptor-order.ts',
    find: 'all.sort((a, b) => rank(a) - rank(b));',
    replace: 'void rank, void all;',
    by: [spec('http.stored.e2e-spec', 'sees the value of the handler')],
  },
  {
    name: 'response-status',
    guard: 'an answer that says nothing of its lifetime is kept only if its status allows it',
    file: verdict,
    find: 'if (saidMs === undefined && !byDefault) return undefined;',
    replace: '',
    by: [spec('http.stored.e2e-spec', 'only if its handler says for how long')],
  },
  {
    name: 'uri-stamp-first',
    guard: "a response that is not made of entities alone depends on its URI's stamp, taken before its handler ran",
    file: 'src/cache/api/response-maker.ts',
    find: "const stamps = ask.route.reads === 'entities' ? [] : await this.#uriStamp(ask, blocked, placeholder);",
    replace: 'const stamps: [] = [];',
    by: [spec('http.caching-changes.e2e-spec', 'makes the responses of its URI invalid')],
  },
  {
    name: 'response-cookie',
    guard: 'to a request with a cookie nothing is given, and its answer is not kept, unless the route says so',
    file: ask,
    find: 'if (isPersonal(request.headers, route)) return undefined;',
    replace: '',
    by: [spec(keys, 'fills nothing, and gets nothing that others have filled')],
  },
  {
    name: 'response-route',
    guard: "a route's key is of that route alone",
    file: ask,
    find: '`${place.route} ${uri}`, uri, beyondUrl',
    replace: 'uri, uri, beyondUrl',
    by: [spec(keys, 'is of that route alone')],
  },
];
