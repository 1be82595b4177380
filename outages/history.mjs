// @ts-check
import { explanation } from '../verify/report.mjs';
import { finalState } from '../verify/final-state.mjs';
import { judge } from '../verify/checker/verdict.mjs';
import { categories } from '../verify/workload/choices.mjs';
import { Recorder } from '../verify/workload/recorder.mjs';
import { RowPool } from '../verify/workload/rows.mjs';
import { Workload } from '../verify/workload/workload.mjs';

/** @typedef {import('../verify/world.mjs').World} World */
/** @typedef {import('../verify/checker/history.mjs').Settings} Settings */
/** @typedef {import('./scenarios.mjs').Stage} Stage */

/** Values live so long that the TTL cannot hide anything. @type {Settings} */
export const settings = { leaseMs: 500, redisTimeoutMs: 100, ttlMs: 60_000, jitter: 0.1, staleMs: 300_000 };

/** Where nothing is about deadlines: a busy machine is no outage. @type {Settings} */
export const patient = { ...settings, leaseMs: 2_000, redisTimeoutMs: 1_000 };

/** Deadlines of the database and of requests, where nothing is about those. @type {NodeJS.ProcessEnv} */
export const patientNodes = { DATABASE_TIMEOUT_MS: '30000', REQUEST_TIMEOUT_MS: '60000' };

/** Options of a world for a scenario of one. @param {Stage} stage @param {Partial<import('../verify/world.mjs').WorldOptions>} others */
export const worldOptions = ({ policy }, others) =>
  /** @type {const} */ ({ nodes: 2, rows: 20, policy, l1Strict: 'bypass', settings, ...others });

/** What is read and written meanwhile, as `verify` records and judges it. */
export class LiveHistory {
  recorder = new Recorder();
  #stage;
  #world;
  #settings;
  #names = 0;

  /** @param {Stage} stage @param {World} world @param {Settings} [of] */
  constructor(stage, world, of = settings) {
    this.#stage = stage;
    this.#world = world;
    this.#settings = of;
  }

  /** Readers of every node and writers through any, until `stop`. @param {{ readers: number, writers: number, keys?: readonly number[] }} load */
  load({ readers, writers, keys = this.#world.keys }) {
    const { nodes, client, database } = this.#world;
    const random = this.#stage.random.fork('load');
    const rows = new RowPool(keys);
    const workload = new Workload({ nodes, rows, random, client, recorder: this.recorder, database, readers, writers });
    workload.start();
    return workload;
  }

  /**
   * A write through one node.
   * @param {import('../verify/node-process.mjs').NodeProcess} node
   * @param {number} key
   * @param {number} timeoutMs
   * @param {import('../verify/workload/client.mjs').Client} [client]
   */
  async write({ url, index }, key, timeoutMs, client = this.#world.client) {
    const category = categories[key % categories.length] ?? categories[0];
    const name = `single write ${(this.#names += 1)}`;
    const body = { name, category, price: 1, quantity: this.#names };
    const put = { method: 'PUT', body, timeoutMs };
    const answer = await client.send(/** @type {URL} */ (url), `/items/${key}`, put);
    this.recorder.write({ source: 'service', node: index, key, name, category }, answer);
    return answer;
  }

  /** Notes that something was broken meanwhile. @param {string} name as the checker knows it @param {() => Promise<unknown>} during @param {number} [node] */
  async fault(name, during, node) {
    const where = node === undefined ? {} : { node };
    const fault = this.recorder.fault({ name, ...where, fromMs: performance.now(), untilMs: Infinity });
    await during();
    fault.untilMs = performance.now();
  }

  /** Once all is healed: the verdict on everything that was seen and is left. */
  async judge({ outlive = false } = {}) {
    const { nodes, client, database, adminToken, seeds } = this.#world;
    const { policy, say } = this.#stage;
    const final = await finalState({ nodes, client, database, settings: this.#settings, outlive, adminToken });
    const { reads, writes, faults } = this.recorder;
    const committed = await database.committed();
    const history = { policy, settings: this.#settings, seeds, writes, reads, faults, committed, left: final.left };
    const judgement = judge(history);
    if (judgement.breaches.length > 0) say(explanation(judgement, history));
    return judgement;
  }
}

/** @param {Awaited<ReturnType<LiveHistory['judge']>>} judgement @returns {import('./scenarios.mjs').Requirement} */
export const kept = ({ breaches, policy }) => ({
  claim: `the guarantee of ${policy} is kept`,
  met: breaches.length === 0,
  seen: breaches.map(({ what, count }) => `${what}: ${count}`).join('; ') || '0 violations',
});

/** @param {Awaited<ReturnType<LiveHistory['judge']>>} judgement */
export const counts = ({ reads, writes, hits, stale, worstStalenessMs, leftCompared, leftStale }) => ({
  reads,
  writes,
  hits,
  stale: { reads: stale, worstMs: worstStalenessMs },
  left: { compared: leftCompared, stale: leftStale },
});
