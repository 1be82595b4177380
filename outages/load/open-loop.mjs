// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { percentiles } from '../percentiles.mjs';
import { courseMs } from './course.mjs';

/**
 * Load from a process of its own, so that what it measures is not its parent's work. A job with a rate is an open loop: each
 * request has a time at which it is due, whatever became of the others, and its latency counts from then (no coordinated
 * omission); how late it was sent is reported. A job with callers is a closed loop: as many as can be answered.
 * @see Schroeder, Wierman & Harchol-Balter, "Open versus closed: a cautionary tale", NSDI 2006
 */

/**
 * What is asked for, of so many ids or numbers from `from`: rows at random or each in turn, ids that nobody has, query
 * strings that nobody means, or searches; or rows at random are replaced (`put`).
 * @typedef {{ kind: 'row' | 'each' | 'garbage' | 'search' | 'page' | 'put', from: number, count: number }} Asked
 */

/**
 * @typedef {object} Job
 * @property {string} url
 * @property {number} forMs
 * @property {Asked | readonly Asked[]} asked of several, one at random
 * @property {number} [rate] requests a second
 * @property {number} [callers]
 * @property {number} [requests] of a closed loop: after so many it is over, too
 */

/** Requests that are under way at the same time at most; more are due, and wait. Opened before the clock starts. */
const connections = 2_000;
/** Opened at the same time: less than a server's backlog. */
const opening = 250;
const timeoutMs = 15_000;

/** What an ordinary client never says. */
const garbage = ['utm_source=', 'x', 'limit=9', 'sort=', '%00', 'q=&q=', '__proto__='];

/** @param {Job} job */
async function run({ url, forMs, asked, rate, callers, requests = Infinity }) {
  const pool = new Pool(url, {
    connections: callers ?? connections,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  const tally = new Tally();
  let number = 0;
  const send = async (/** @type {number} */ dueMs) => {
    number += 1;
    try {
      const { statusCode, headers, body } = await pool.request(requestOf(asked, number));
      await body.dump();
      tally.answer(statusCode, headers, performance.now() - dueMs);
    } catch (error) {
      tally.failure(error);
    }
  };
  if (rate !== undefined) {
    for (let open = 0; open < connections; open += opening)
      await Promise.all(
        Array.from({ length: open + opening }, () =>
          pool.request({ path: '/health/live', method: 'GET' }).then(({ body }) => body.dump()),
        ),
      );
  }
  process.send?.('started');
  const startMs = performance.now();
  if (rate === undefined) {
    const call = async () => {
      while (number < requests && performance.now() < startMs + forMs) await send(performance.now());
    };
    await Promise.all(Array.from({ length: callers ?? 1 }, call));
  } else {
    const total = Math.floor((rate * forMs) / 1_000);
    const under = new Set();
    for (let due = 0; due < total;) {
      const nowMs = performance.now();
      for (; due < total && startMs + (1_000 * due) / rate <= nowMs; due += 1) {
        const dueMs = startMs + (1_000 * due) / rate;
        tally.late(nowMs - dueMs);
        const sent = send(dueMs).finally(() => under.delete(sent));
        under.add(sent);
      }
      await sleep(1);
    }
    await Promise.all(under);
  }
  const seconds = (performance.now() - startMs) / 1_000;
  await pool.destroy();
  return tally.result(seconds);
}

/** @param {Job['asked']} asked @param {number} number @returns {{ path: string, method: 'GET' | 'PUT', headers?: Record<string, string>, body?: string }} */
function requestOf(asked, number) {
  const all = [asked].flat();
  const { kind, from, count } = /** @type {Asked} */ (all[Math.floor(Math.random() * all.length)]);
  const inTurn = kind === 'each' || kind === 'garbage' || kind === 'search';
  const id = from + (inTurn ? number % count : Math.floor(Math.random() * count));
  if (kind === 'garbage') return get(`/items?${garbage[number % garbage.length]}${id}`);
  if (kind === 'search') return get(`/items?q=more%20${id}`);
  if (kind === 'page') return get(`/items?category=more-${id}&limit=100`);
  if (kind !== 'put') return get(`/items/${id}`);
  const body = JSON.stringify({ name: `put ${number}`, category: `more-${id % 1_000}`, price: 1, quantity: 1 });
  return { path: `/items/${id}`, method: 'PUT', headers: { 'content-type': 'application/json' }, body };
}

/** @param {string} path */
const get = (path) => ({ path, method: /** @type {const} */ ('GET') });

class Tally {
  /** @type {Record<string, number>} */
  #statuses = {};
  /** @type {Record<string, number>} */
  #failures = {};
  /** @type {number[]} */
  #admitted = [];
  /** @type {number[]} */
  #lateness = [];
  #hits = 0;
  /** Answers, and those from the cache, by when they came. @type {Map<number, { answered: number, hits: number }>} */
  #course = new Map();
  #withoutRetryAfter = 0;
  #answered = 0;
  #slowestMs = 0;

  /** @param {number} status @param {import('undici').Dispatcher.ResponseData['headers']} headers @param {number} tookMs */
  answer(status, headers, tookMs) {
    this.#answered += 1;
    this.#slowestMs = Math.max(this.#slowestMs, tookMs);
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    if (status < 500) this.#admitted.push(tookMs);
    if (status === 503 && headers['retry-after'] === undefined) this.#withoutRetryAfter += 1;
    const hit = /; hit\b/.test(String(headers['cache-status'])) ? 1 : 0;
    this.#hits += hit;
    const atMs = courseMs * Math.floor(Date.now() / courseMs);
    const { answered, hits } = this.#course.get(atMs) ?? { answered: 0, hits: 0 };
    this.#course.set(atMs, { answered: answered + 1, hits: hits + hit });
  }

  /** @param {unknown} error */
  failure(error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code ?? String(error);
    this.#failures[code] = (this.#failures[code] ?? 0) + 1;
  }

  /** @param {number} ms */
  late(ms) {
    this.#lateness.push(ms);
  }

  /** @param {number} seconds */
  result(seconds) {
    return {
      answered: this.#answered,
      rate: Math.round(this.#answered / seconds),
      admittedRate: Math.round(this.#admitted.length / seconds),
      slowestMs: Math.round(this.#slowestMs),
      statuses: this.#statuses,
      failures: this.#failures,
      failed: Object.values(this.#failures).reduce((sum, count) => sum + count, 0),
      withoutRetryAfter: this.#withoutRetryAfter,
      hits: this.#hits,
      course: [...this.#course].map(([atMs, counts]) => ({ atMs, ...counts })),
      admittedMs: percentiles(this.#admitted),
      sentLateMs: percentiles(this.#lateness),
    };
  }
}

/** @typedef {ReturnType<Tally['result']>} LoadResult */

process.once('message', async (/** @type {Job} */ job) => {
  const result = await run(job);
  // Its sockets would keep it alive.
  process.send?.(result, () => process.exit());
});
// Whoever measures is gone: there is nobody to tell any more.
process.once('disconnect', () => process.exit());
