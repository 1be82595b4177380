// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { NodeProcess } from '../../verify/node-process.mjs';
import { openWorld } from '../../verify/world.mjs';
import { Crashes } from '../crashes.mjs';
import { counts, kept, LiveHistory, worldOptions } from '../history.mjs';
import { courseMs } from '../load/course.mjs';
import { generateLoad, startLoad } from '../load/generator.mjs';

const requestTimeoutMs = 5_000;
const poolSize = 10;
const allowedMs = requestTimeoutMs + 50;
const recoversWithinMs = 2_000;
const callers = 32;
const timeoutMs = 15_000;
/** Rows that are written now and then, and read right after it. */
const written = 20;

/** @type {import('../scenarios.mjs').Scenario} */
export const redisStopped = {
  name: 'redis-stopped',
  title: 'Redis is stopped (SIGSTOP) under an open-loop load, at half and at twice what the database can take',
  policy: 'write-through',
  full: { keys: 1_000, seconds: 20 },
  short: { keys: 200, seconds: 2 },
  async run(stage) {
    const { keys: rows = 1, seconds = 1 } = stage.size;
    const crashes = new Crashes(stage);
    const env = {
      DATABASE_POOL_SIZE: String(poolSize),
      REQUEST_TIMEOUT_MS: String(requestTimeoutMs),
      LOG_LEVEL: 'error',
    };
    const options = worldOptions(stage, { nodes: 1, rows: written, further: rows, env });
    const world = await openWorld(options, { ...stage, onCrash: crashes.note });
    const { redis, database, client, keys } = world;
    const node = /** @type {NodeProcess} */ (world.nodes[0]);
    const url = /** @type {URL} */ (node.url);
    const asked = /** @type {const} */ ({ kind: 'row', from: written + 1, count: rows });
    const capacity = await uncachedCapacity(stage, node, asked);
    stage.say(`uncached capacity: ${capacity} a second`);
    await generateLoad({ url: url.href, forMs: 1_000 * Math.max(1, seconds / 4), asked, callers });

    const history = new LiveHistory(stage, world);
    const watch = watchConcurrency(database);
    const phases = /** @type {Record<string, Awaited<ReturnType<typeof phase>>>} */ ({});
    for (const [name, share] of /** @type {const} */ ([
      ['half', 0.5],
      ['double', 2],
    ])) {
      stage.signal.throwIfAborted();
      phases[name] = await phase(capacity * share);
    }
    const most = await watch.stop();
    const judgement = await history.judge();

    /** Redis is away for the middle half of it. @param {number} rate */
    async function phase(rate) {
      const forMs = 1_000 * seconds;
      const load = await startLoad({ url: url.href, forMs, asked, rate });
      const sampling = new globalThis.AbortController();
      const samples = sample(sampling.signal);
      await sleep(forMs / 4);
      let resumedMs = Infinity;
      await history.fault('partition', async () => {
        redis.pause();
        await sleep(forMs / 2);
        redis.resume();
        resumedMs = Date.now();
      });
      const { course, ...result } = await load.result;
      sampling.abort();
      await samples;
      // Most of the answers are hits again.
      const again = course.find(({ atMs, answered, hits }) => atMs >= resumedMs && 2 * hits >= answered);
      return {
        ...result,
        askedRate: Math.round(rate),
        recoveredMs: again ? again.atMs + courseMs - resumedMs : Infinity,
      };
    }

    /** @param {AbortSignal} signal */
    async function sample(signal) {
      while (!signal.aborted) {
        const key = stage.random.pick(keys);
        await history.write(node, key, timeoutMs);
        const answer = await client.send(url, `/items/${key}`, { timeoutMs });
        history.recorder.read(node.index, { key }, answer);
        await sleep(100);
      }
    }

    const { half, double } = phases;
    if (!half || !double) throw new Error('unreachable');
    const known = Object.keys(double.statuses).every((status) => status === '200' || status === '503');
    return {
      requirements: [
        {
          claim: 'at half the capacity nothing fails',
          met: half.failed === 0 && half.statuses[200] === half.answered && half.answered > 0,
          seen: `${half.answered - (half.statuses[200] ?? 0) + half.failed} of ${half.answered + half.failed} at ${half.askedRate} a second`,
        },
        {
          claim: 'at twice the capacity there is 200, or 503 with Retry-After, and nothing else',
          met: known && double.failed === 0 && double.withoutRetryAfter === 0,
          seen: `${JSON.stringify(double.statuses)}, ${double.failed} failed, ${double.withoutRetryAfter} without Retry-After, at ${double.askedRate} a second`,
        },
        {
          claim: `what is admitted is answered within ${allowedMs} ms (99.9 %)`,
          met: Math.max(half.admittedMs.p999, double.admittedMs.p999) <= allowedMs,
          seen: `${half.admittedMs.p999} ms at half, ${double.admittedMs.p999} ms at twice`,
        },
        {
          claim: `PostgreSQL never works for more than the pool (${poolSize})`,
          met: most <= poolSize,
          seen: `${most} at most`,
        },
        {
          claim: `cached again within ${recoversWithinMs} ms of Redis' return`,
          met: Math.max(half.recoveredMs, double.recoveredMs) <= recoversWithinMs,
          seen: `${half.recoveredMs} ms at half, ${double.recoveredMs} ms at twice`,
        },
        kept(judgement),
        crashes.none(),
      ],
      figures: { capacity, half, double, history: counts(judgement) },
    };
  },
};

/**
 * What a node that keeps nothing answers, to as many callers as keep it busy.
 * @param {import('../scenarios.mjs').Stage} stage
 * @param {NodeProcess} like
 * @param {import('../load/open-loop.mjs').Asked} asked
 */
async function uncachedCapacity({ undo, size: { seconds = 1 } }, like, asked) {
  const env = { ...like.options.env, CACHE_API: 'off', CACHE_DB: 'off', CACHE_FEED: 'off' };
  const node = new NodeProcess({ ...like.options, index: 9, env });
  undo.add(() => node.kill());
  await node.start();
  const url = String(node.url);
  await generateLoad({ url, forMs: 250 * seconds, asked, callers });
  const { rate } = await generateLoad({ url, forMs: 250 * seconds, asked, callers });
  await node.kill();
  return rate;
}

/** How many sessions of the node were at work at the same moment at most. @param {import('../../verify/database.mjs').RunDatabase} database */
function watchConcurrency(database) {
  let most = 0;
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      most = Math.max(most, await database.working());
      await sleep(20);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await watching;
      return most;
    },
  };
}
