// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { adminFaults } from './admin.mjs';
import { postgresFaults } from './postgres.mjs';
import { redisFaults } from './redis.mjs';

/** @typedef {import('../random.mjs').Random} Random */
/** @typedef {import('../node-process.mjs').NodeProcess} NodeProcess */
/** @typedef {import('../../test/support/fault-proxy/fault-proxy.mjs').FaultProxy} FaultProxy */
/** @typedef {import('../../test/support/fault-proxy/connection.mjs').Path} Path */
/** @typedef {import('./names.mjs').NodeFault} NodeFault */
/** @typedef {import('./names.mjs').SharedFault} SharedFault */

/**
 * What faults can be done to.
 * @typedef {object} World
 * @property {import('../services.mjs').PrivateRedis} redis the one that most nodes use
 * @property {import('../services.mjs').PrivateRedis | undefined} spare another one
 * @property {import('../services.mjs').PrivatePostgres | undefined} postgres if it is the run's own
 * @property {readonly Place[]} places
 * @property {import('../checker/history.mjs').Policy} policy
 * @property {import('../workload/client.mjs').Client} client
 * @property {import('../workload/recorder.mjs').Recorder} recorder
 * @property {string} adminToken
 * @property {import('../database.mjs').RunDatabase} database
 * @property {import('../workload/workload.mjs').Workload} workload
 * @property {import('../checker/history.mjs').Settings} settings
 * @property {readonly import('./commit-cutter.mjs').CommitCutter[]} cutters one for each node
 */

/** @typedef {{ node: NodeProcess, proxy: FaultProxy }} Place one node and its way to Redis */
/** @typedef {string | void} Detail what to say of it in an explanation */

/** Each begins its fault, waits, heals it, and resolves. @type {Record<NodeFault, (place: Place, world: World, random: Random) => Promise<Detail>>} */
export const nodeFault = {
  async kill({ node, proxy }, { recorder }, random) {
    await node.kill();
    await sleep(random.between(0, 1_000));
    proxy.heal();
    await startAgain(node, recorder);
  },

  /** Longer than three leases: a node that wakes must not believe what it knew. */
  async pause({ node }, { settings: { leaseMs } }, random) {
    node.pause();
    try {
      await sleep(leaseMs * random.between(3.1, 5));
    } finally {
      node.resume();
    }
  },

  partition: ({ proxy }, { settings }, random) => blackHole(proxy, ['data', 'bus'], settings.leaseMs, random),

  'bus-partition': ({ proxy }, { settings }, random) => blackHole(proxy, ['bus'], settings.leaseMs, random),

  /** Around the deadline of one command, and well above it. */
  async 'slow-redis'({ proxy }, { settings: { redisTimeoutMs, leaseMs } }, random) {
    const oneWayMs = redisTimeoutMs * random.pick([0.1, 0.3, 0.45, 0.5, 0.55, 1.5]);
    const chance = random.fork('jitter');
    proxy.slow(['data', 'bus'], () => oneWayMs * chance.between(0.7, 1.3));
    await sleep(leaseMs * random.between(1, 3));
    proxy.heal();
    return `${Math.round(oneWayMs)} ms each way`;
  },
};

/** @type {Record<SharedFault, (world: World, random: Random) => Promise<Detail>>} */
export const sharedFault = {
  ...adminFaults,
  ...redisFaults,
  ...postgresFaults,

  async rollback({ workload }, random) {
    workload.mode.doomed = true;
    await sleep(random.between(200, 700));
    workload.mode.doomed = false;
  },

  async 'pg-terminate'({ workload, database }, random) {
    workload.mode.slow = true;
    const untilMs = performance.now() + random.between(400, 1_000);
    let ended = 0;
    while (performance.now() < untilMs) {
      ended += await database.terminate(random.pick(['committing', 'committing', 'committing', 'open', 'any']));
      await sleep(random.between(5, 40));
    }
    workload.mode.slow = false;
    return `${ended} backends`;
  },

  /** Transactions that happened, and whose writers are never told. */
  async 'pg-cut'({ cutters }, random) {
    const before = sum(cutters);
    for (const cutter of cutters) cutter.probability = 0.4;
    await sleep(random.between(200, 900));
    for (const cutter of cutters) cutter.probability = 0;
    return `${sum(cutters) - before} commits`;
  },

  async sql({ workload }, random) {
    const times = 1 + random.integer(10);
    for (let time = 0; time < times; time += 1) {
      await workload.writeSql(random);
      await sleep(random.between(0, 60));
    }
    return `${times} statements`;
  },
};

/** A node that cannot start while PostgreSQL is away is started again, as by whoever supervises it. @param {NodeProcess} node @param {World['recorder']} recorder */
export async function startAgain(node, recorder) {
  for (;;) {
    const sinceMs = performance.now();
    try {
      return await node.start();
    } catch (error) {
      const excused = recorder.faults.some(({ name, untilMs }) => name.startsWith('pg-') && untilMs >= sinceMs);
      if (!excused) throw error;
      await sleep(200);
    }
  }
}

/** @param {FaultProxy} proxy @param {readonly Path[]} paths @param {number} leaseMs @param {Random} random */
async function blackHole(proxy, paths, leaseMs, random) {
  const reset = random.chance(0.3);
  proxy.hang(paths);
  await sleep(leaseMs * random.between(0.3, 4));
  proxy.heal({ reset });
  return reset ? 'then reset' : 'then everything arrives late';
}

/** @param {readonly { cuts: number }[]} cutters */
const sum = (cutters) => cutters.reduce((all, { cuts }) => all + cuts, 0);
