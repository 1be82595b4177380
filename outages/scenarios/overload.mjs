// @ts-check
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { openWorld } from '../../verify/world.mjs';
import { Crashes } from '../crashes.mjs';
import { settings, worldOptions } from '../history.mjs';
import { generateLoad, startLoad } from '../load/generator.mjs';

const requestTimeoutMs = 5_000;
const allowedMs = requestTimeoutMs + 50;
const leastShare = 0.9;
const callers = 32;
/** So many rows are compared with the database at the end. */
const compared = 300;

/** How much is asked of a node, in parts of what it can answer. */
const times = /** @type {const} */ ([1, 2, 4]);

/** Each load comes in so many slices, in turn: a machine that slows down slows all of them. */
const rounds = 3;

/** What the log says of connections to Redis that are given up, and of a feed that ends. */
const brokenOff = /given up|was interrupted/;

/** @typedef {Omit<Awaited<ReturnType<typeof generateLoad>>, 'course' | 'failures'>} LoadResult */

/** @type {import('../scenarios.mjs').Scenario} */
export const overload = {
  name: 'overload',
  title: 'once, twice and four times the reads, writes and both that a node can answer, while nothing is broken',
  policy: 'write-through',
  full: { keys: 1_000_000, seconds: 60 },
  short: { keys: 10_000, seconds: 3 },
  async run(stage) {
    const { keys: rows = 1, seconds = 1 } = stage.size;
    const crashes = new Crashes(stage);
    const env = { REQUEST_TIMEOUT_MS: String(requestTimeoutMs), LOG_LEVEL: 'warn' };
    const world = await openWorld(worldOptions(stage, { nodes: 1, rows: 1, further: rows, settings, env }), {
      ...stage,
      onCrash: crashes.note,
    });
    const node = /** @type {import('../../verify/node-process.mjs').NodeProcess} */ (world.nodes[0]);
    const url = /** @type {URL} */ (node.url);
    const further = { from: 2, count: rows };
    const [reads, writes] = /** @type {const} */ ([
      { kind: 'row', ...further },
      { kind: 'put', ...further },
    ]);
    const asked = { reads: [reads], writes: [writes], both: [reads, writes] };
    await generateLoad({ url: url.href, forMs: 250 * seconds, asked: asked.both, callers });

    /** @type {Record<string, { capacity: number, loads: LoadResult[] }>} */
    const phases = {};
    for (const [name, of] of Object.entries(asked)) {
      const { admittedRate: capacity } = await generateLoad({
        url: url.href,
        forMs: 250 * seconds,
        asked: of,
        callers,
      });
      stage.say(`${name}: ${capacity} a second can be answered`);
      const phase = (phases[name] = { capacity, loads: /** @type {LoadResult[]} */ ([]) });
      /** @type {LoadResult[][]} */
      const slices = times.map(() => []);
      for (let round = 0; round < rounds; round += 1) {
        for (const [i, time] of times.entries()) {
          stage.signal.throwIfAborted();
          const job = { url: url.href, forMs: (1_000 * seconds) / rounds, asked: of, rate: capacity * time };
          const load = await (await startLoad(job)).result;
          stage.say(`  at ${time} times that: ${seen(load)}`);
          slices[i]?.push(load);
        }
      }
      phase.loads.push(...slices.map(together));
    }
    const stale = await staleRows(url, world.database, stage.random, rows);

    const all = Object.values(phases).flatMap(({ loads }) => loads);
    const others = all
      .flatMap(({ statuses }) => Object.keys(statuses))
      .filter((status) => !/^(?:200|503)$/.test(status));
    const broken = readFileSync(node.log, 'utf8')
      .split('\n')
      .filter((line) => brokenOff.test(line));
    const shares = Object.entries(phases).map(([name, { loads }]) => {
      const [once, most] = [/** @type {LoadResult} */ (loads[0]), /** @type {LoadResult} */ (loads.at(-1))];
      return { name, once: once.admittedRate, most: most.admittedRate, share: most.admittedRate / once.admittedRate };
    });
    const sum = (/** @type {(load: LoadResult) => number} */ of) => all.reduce((total, load) => total + of(load), 0);
    const slowestMs = Math.max(...all.map((load) => load.slowestMs));
    return {
      requirements: [
        {
          claim: 'no connection to Redis is given up, and the change feed is read on',
          met: broken.length === 0,
          seen: broken.length === 0 ? 'none' : `${broken.length}: ${broken[0]}`,
        },
        {
          claim: `at ${times.at(-1)} times the capacity, at least ${leastShare} of what is answered at once the capacity`,
          met: shares.every(({ share }) => share >= leastShare),
          seen: shares
            .map(({ name, once, most, share }) => `${name} ${share.toFixed(2)} (${most} of ${once})`)
            .join(', '),
        },
        {
          claim: `every answer comes within ${allowedMs} ms of when its request was due`,
          met: slowestMs <= allowedMs,
          seen: `${slowestMs} ms`,
        },
        {
          claim: 'there is 200, or 503 with Retry-After, and nothing else',
          met: others.length === 0 && sum(({ failed }) => failed) === 0 && sum((load) => load.withoutRetryAfter) === 0,
          seen: `${others.length} others, ${sum(({ failed }) => failed)} failed, ${sum((load) => load.withoutRetryAfter)} without Retry-After`,
        },
        {
          claim: 'every row is shown as the database has it afterwards',
          met: stale === 0,
          seen: `${stale} of ${compared} are not`,
        },
        crashes.none(),
      ],
      figures: {
        ...Object.fromEntries(
          Object.entries(phases).map(([name, { capacity, loads }]) => [
            name,
            { capacity, ...Object.fromEntries(loads.map((load, i) => [`at ${times[i]}`, figuresOf(load)])) },
          ]),
        ),
      },
    };
  },
};

/**
 * How many of some rows are shown in another version than they have.
 * @param {URL} url
 * @param {import('../../verify/database.mjs').RunDatabase} database
 * @param {import('../../verify/random.mjs').Random} random
 * @param {number} rows
 */
async function staleRows(url, database, random, rows) {
  await database.feedCaughtUp(10_000);
  const client = new pg.Client(database.url);
  await client.connect();
  let stale = 0;
  for (let n = 0; n < compared; n += 1) {
    const id = 2 + random.integer(rows);
    const answer = await fetch(new URL(`/items/${id}`, url));
    const { version } = /** @type {{ version: number }} */ (await answer.json());
    const { rows: found } = await client.query('SELECT version FROM items WHERE id = $1', [id]);
    if (version !== found[0].version) stale += 1;
  }
  await client.end();
  return stale;
}

/**
 * Slices of equal length as one load: what was counted is added up, of rates it is the mean, of latencies the worst.
 * @param {readonly LoadResult[]} slices
 * @returns {LoadResult}
 */
function together(slices) {
  const sum = (/** @type {(slice: LoadResult) => number} */ of) => slices.reduce((all, slice) => all + of(slice), 0);
  const mean = (/** @type {(slice: LoadResult) => number} */ of) => Math.round(sum(of) / slices.length);
  const worst = (/** @type {'admittedMs' | 'sentLateMs'} */ name) =>
    slices.map((slice) => slice[name]).reduce((a, b) => (a.p99 >= b.p99 ? a : b));
  /** @type {Record<string, number>} */
  const statuses = {};
  for (const slice of slices)
    for (const [status, count] of Object.entries(slice.statuses)) statuses[status] = (statuses[status] ?? 0) + count;
  return {
    answered: sum(({ answered }) => answered),
    rate: mean(({ rate }) => rate),
    admittedRate: mean(({ admittedRate }) => admittedRate),
    slowestMs: Math.max(...slices.map(({ slowestMs }) => slowestMs)),
    statuses,
    failed: sum(({ failed }) => failed),
    withoutRetryAfter: sum(({ withoutRetryAfter }) => withoutRetryAfter),
    hits: sum(({ hits }) => hits),
    admittedMs: worst('admittedMs'),
    sentLateMs: worst('sentLateMs'),
  };
}

/** @param {LoadResult} load */
const figuresOf = ({ rate, admittedRate, statuses, hits, admittedMs, slowestMs, sentLateMs }) => ({
  ...{ rate, admittedRate, statuses, hits, admittedMs, slowestMs, sentLateMs },
});

/** @param {LoadResult} load */
const seen = ({ admittedRate, statuses, admittedMs, slowestMs }) =>
  `${admittedRate} a second, ${JSON.stringify(statuses)}, p99 ${admittedMs.p99} ms, slowest ${slowestMs} ms`;
