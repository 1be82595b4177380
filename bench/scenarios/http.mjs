// @ts-check
import { Agent, request } from 'node:http';
import { httpLoad } from '../load/http-load.mjs';
import { Nodes, uncached } from '../nodes.mjs';
import { startServer } from '../servers/start-server.mjs';

/** @typedef {import('../measure/race.mjs').Race} Race */
/** @typedef {import('../measure/race.mjs').Subject} Subject */
/** @typedef {import('../servers/bare.mjs').Answer} Answer */

const rows = 10_000;
const agent = new Agent({ keepAlive: true });
/** What the machine does besides lasts longer than a slice: two in a row meet the same. */
const timing = { rounds: 300, sliceMs: 50, warmUpMs: 2_000 };
/** Of the service, not of its answer's maker. */
const ofTheConnection = /^(?:date|connection|keep-alive)$/i;

/** @type {import('../scenarios.mjs').Scenario} */
export const http = {
  name: 'http',
  title: 'hits of the api layer, as clients see them',
  async open(surroundings) {
    const { undo } = surroundings;
    const nodes = await Nodes.open(surroundings);
    // Fresh for the whole run, and room for all keys: nothing is loaded while it is measured.
    const env = { CACHE_TTL_MS: '86400000', CACHE_TTL_JITTER: '0', CACHE_L1_MAX_BYTES: '268435456' };
    const url = await nodes.start('http', env, rows);
    const item = await warm(url, '/items/1');
    const list = await warm(url, '/items?limit=100');
    const etag = item.headers[item.headers.findIndex((name) => name.toLowerCase() === 'etag') + 1];
    const known = { 'If-None-Match': String(etag) };
    const unchanged = await warm(url, '/items/1', known);
    const nestEnv = await nodes.environment('nest', uncached, 1);
    const [nest] = await startServer('items.mjs', { dist: nodes.opened.dist, env: nestEnv }, undo);
    const plain = await nodes.start('uncached', uncached, 1);
    const [bareItem, bareList, bareUnchanged] = await startServer('bare.mjs', [item, list, unchanged], undo);
    if (!nest || !bareItem || !bareList || !bareUnchanged) throw new Error('a server does not listen');
    await warmAll(url);
    const hit = subject('hit', 'GET /items/1, in L1, the fast lane', url, '/items/1');
    return [
      against('GET /items/1', hit, subject('bare', 'node:http, the same bytes', bareItem, '/items/1'), 0.9, 1.5),
      againstNest(hit, nest, plain),
      against(
        'GET /items?limit=100',
        subject('list hit', 'a list of 100 items, in L1, the fast lane', url, '/items?limit=100'),
        subject('bare list', 'node:http, the same bytes', bareList, '/items?limit=100'),
        0.85,
      ),
      against(
        'GET /items/1, If-None-Match',
        subject('304', 'the fast lane', url, '/items/1', known),
        subject('bare 304', 'node:http, the same fields', bareUnchanged, '/items/1', known),
        0.9,
      ),
      manyKeys(url),
    ];
  },
};

/** @param {string} name @param {Subject} own @param {Subject} bare @param {number} atLeast @param {number} [p99] @returns {Race} */
function against(name, own, bare, atLeast, p99) {
  const pair = { of: own.name, to: bare.name };
  return {
    ...{ name, subjects: [own, bare], control: bare.name, ...timing },
    targets: [
      { ...pair, metric: 'rate', atLeast },
      ...(p99 === undefined ? [] : [/** @type {const} */ ({ ...pair, metric: 'p99', atMost: p99 })]),
    ],
  };
}

/** @param {Subject} hit @param {URL} nest @param {URL} plain @returns {Race} */
function againstNest(hit, nest, plain) {
  const cached = subject('CacheInterceptor', "the same route behind Nest's own, in memory", nest, '/items/1');
  const route = subject('Nest route', 'the same route, nothing cached', plain, '/items/1');
  return {
    ...{ name: 'GET /items/1 and Nest', subjects: [hit, cached, route], control: route.name, ...timing },
    targets: [
      { of: hit.name, to: cached.name, metric: 'rate', atLeast: 8 },
      { of: hit.name, to: route.name, metric: 'rate', atLeast: 8 },
    ],
  };
}

/** Both ask with as many texts: what these cost the load to read is no cost of the service. @param {URL} url @returns {Race} */
function manyKeys(url) {
  const inTurn = (
    /** @type {string} */ name,
    /** @type {string} */ what,
    /** @type {(at: number) => string} */ path,
  ) => {
    const texts = Array.from({ length: rows }, (_, at) => Buffer.from(text(url, path(at))).toString('latin1'));
    let count = 0;
    return { name, what, drive: httpLoad({ url, next: () => String(texts[count++ % rows]), status: 200 }) };
  };
  const many = inTurn('many keys', `hits of ${rows} keys in turn`, (at) => `/items/${at + 1}`);
  const one = inTurn('one key', 'hits of one key', () => '/items/1');
  return {
    ...{ name: `${rows} keys`, subjects: [many, one], control: one.name, ...timing },
    targets: [{ of: many.name, to: one.name, metric: 'rate', atLeast: 1 / 1.1 }],
  };
}

/** @param {string} name @param {string} what @param {URL} url @param {string} path @param {Readonly<Record<string, string>>} [fields] @returns {Subject} */
function subject(name, what, url, path, fields = {}) {
  const asked = text(url, path, fields);
  return { name, what, drive: httpLoad({ url, next: () => asked, status: fields['If-None-Match'] ? 304 : 200 }) };
}

/** @param {URL} url @param {string} path @param {Readonly<Record<string, string>>} [fields] */
function text(url, path, fields = {}) {
  const lines = Object.entries({ Host: url.host, ...fields }).map(([name, value]) => `${name}: ${value}`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/** @param {URL} url */
async function warmAll(url) {
  let id = 0;
  const one = async () => {
    while (id < rows) await warm(url, `/items/${(id += 1)}`);
  };
  await Promise.all(Array.from({ length: 16 }, one));
}

/** Asks until the answer has been recorded. @param {URL} url @param {string} path @param {Readonly<Record<string, string>>} [fields] */
async function warm(url, path, fields = {}) {
  await ask(url, path, fields);
  await ask(url, path, fields);
  await ask(url, path, fields);
  return ask(url, path, fields);
}

/** @param {URL} url @param {string} path @param {Readonly<Record<string, string>>} fields @returns {Promise<Answer>} */
function ask(url, path, fields) {
  return new Promise((resolve, reject) => {
    request(new URL(path, url), { headers: fields, agent }, (res) => {
      let body = '';
      res.setEncoding('utf8').on('data', (chunk) => (body += chunk));
      res.once('end', () => {
        const headers = res.rawHeaders.flatMap((name, at, all) =>
          at % 2 === 1 || ofTheConnection.test(name) ? [] : [name, String(all[at + 1])],
        );
        resolve({ status: Number(res.statusCode), headers, body });
      });
    })
      .once('error', reject)
      .end();
  });
}
