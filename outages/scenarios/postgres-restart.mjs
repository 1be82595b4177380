// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCacheStatus } from '../../verify/workload/cache-status.mjs';
import { openWorld } from '../../verify/world.mjs';
import { Crashes } from '../crashes.mjs';
import { counts, kept, LiveHistory, patient, worldOptions } from '../history.mjs';
import { percentiles } from '../percentiles.mjs';

/**
 * Shorter than an outage: what is served during it has gone stale. Patient, since a connection to Redis that is given up
 * meanwhile stays closed until there is a PostgreSQL to compare it with.
 */
const shortLived = { ...patient, ttlMs: 1_000 };
const workMs = 1_000;
const outageMs = 3_000;
/** Healing is not said to be quick; what has not healed by then does not. */
const giveUpMs = 60_000;
/** A limit for what hangs. */
const timeoutMs = 60_000;
/** So many rows are read and written; as many others are only read. */
const written = 20;

/** @typedef {import('../../verify/workload/client.mjs').Answer} Answer */
/** @typedef {import('../../verify/node-process.mjs').NodeProcess} NodeProcess */

/** @type {import('../scenarios.mjs').Scenario} */
export const postgresRestart = {
  name: 'postgres-restart',
  title: 'PostgreSQL is killed, stays away and is started again',
  policy: 'write-through',
  full: { times: 5 },
  short: { times: 1 },
  async run(stage) {
    const crashes = new Crashes(stage);
    const options = worldOptions(stage, { rows: 2 * written, settings: shortLived });
    const world = await openWorld(options, { ...stage, onCrash: crashes.note });
    const { postgres, nodes, client, keys } = world;
    if (!postgres) throw new Error('there is no server to restart');
    const history = new LiveHistory(stage, world, shortLived);
    const steady = keys.slice(written);
    const get = (/** @type {NodeProcess} */ { url }, /** @type {string} */ path) =>
      client.send(/** @type {URL} */ (url), path, { timeoutMs });
    const readSteady = async () => {
      const answers = nodes.flatMap((node) => steady.map((key) => get(node, `/items/${key}`)));
      return Promise.all(answers);
    };
    const write = () => history.write(stage.random.pick(nodes), stage.random.pick(keys.slice(0, written)), timeoutMs);

    /** @type {Answer[]} */
    const during = [];
    /** @type {Answer[]} */
    const refused = [];
    /** @type {number[]} */
    const healedMs = [];
    const workload = history.load({ readers: 2, writers: 2, keys: keys.slice(0, written) });
    for (let time = 0; time < (stage.size.times ?? 1); time += 1) {
      stage.signal.throwIfAborted();
      await readSteady();
      await sleep(workMs);
      // The change feed may just have begun, and made everything invalid once.
      await until(async () => (await readSteady()).every(isHit));
      await postgres.kill();
      const untilMs = performance.now() + outageMs;
      while (performance.now() < untilMs) {
        during.push(...(await readSteady()));
        refused.push(await write());
        await sleep(50);
      }
      await postgres.restart();
      const backMs = performance.now();
      for (const node of nodes) await until(async () => (await get(node, `/items?q=new${time}`)).status === 200);
      await until(async () => (await write()).status === 200);
      healedMs.push(performance.now() - backMs);
    }
    await workload.stop();
    const counted = (
      await Promise.all(nodes.map(async (node) => countStale((await get(node, '/metrics')).text)))
    ).reduce(sum);
    const judgement = await history.judge();
    const unread = during.filter(({ status }) => status !== 200);
    const stale = during.filter(({ headers }) => parseCacheStatus(String(headers['cache-status'] ?? '')).stale);
    const wrong = refused.filter(({ status, headers }) => status !== 503 || !headers['retry-after']);
    const weak = stage.policy !== 'strict';
    const [slowest = Infinity] = healedMs.toSorted((a, b) => b - a);
    return {
      requirements: [
        {
          claim: weak ? 'cached rows are read on' : 'rows are read on, or refused',
          met: (weak ? unread.length === 0 : unread.every(({ status }) => status === 503)) && during.length > 0,
          seen: `${unread.length} of ${during.length} reads were not answered`,
        },
        {
          claim: weak ? 'what has gone stale is marked, and counted' : 'nothing stale is served',
          met: weak ? stale.length > 0 && counted >= stale.length : stale.length + counted === 0,
          seen: `${stale.length} reads with a ttl below 0, ${counted} counted`,
        },
        {
          claim: 'writes are 503 with Retry-After',
          met: wrong.length === 0 && refused.length > 0,
          seen: `${refused.length - wrong.length} of ${refused.length}`,
        },
        {
          claim: 'all of it heals by itself',
          met: slowest <= giveUpMs,
          seen: `${Math.round(slowest)} ms after the restart at the latest`,
        },
        {
          claim: 'no acknowledged write is lost',
          met: judgement.lostWrites === 0,
          seen: `${judgement.lostWrites} of ${judgement.writes.ok}`,
        },
        kept(judgement),
        crashes.none(),
      ],
      figures: { ...counts(judgement), healedMs: percentiles(healedMs) },
    };
  },
};

/** @param {Answer} answer */
const isHit = ({ headers }) => parseCacheStatus(String(headers['cache-status'] ?? '')).hit;

/** @param {number} a @param {number} b */
const sum = (a, b) => a + b;

/** @param {string} metrics */
const countStale = (metrics) =>
  [...metrics.matchAll(/^cache_requests_total\{.*result="stale".*\} (\d+)$/gm)]
    .map(([, count]) => Number(count))
    .reduce(sum, 0);

/** Polls until it holds; what takes too long is said by the requirement. @param {() => Promise<boolean>} condition */
async function until(condition) {
  const giveUpAtMs = performance.now() + 2 * giveUpMs;
  while (!(await condition()) && performance.now() < giveUpAtMs) await sleep(20);
}
