// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { Schedule } from './faults/schedule.mjs';
import { startAgain } from './faults/faults.mjs';
import { finalState } from './final-state.mjs';
import { CommitCutter } from './faults/commit-cutter.mjs';
import { FaultProxy } from '../test/support/fault-proxy/fault-proxy.mjs';
import { Random } from './random.mjs';
import { Recorder } from './workload/recorder.mjs';
import { RowPool } from './workload/rows.mjs';
import { Workload } from './workload/workload.mjs';
import { openWorld } from './world.mjs';

/** @typedef {import('./checker/history.mjs').History} History */
/** @typedef {import('./options.mjs').Options} Options */
/** @typedef {{ history: History, seconds: number, crashes: number, leftBeforeTtl: number, folder: string }} Recorded */
/** @typedef {{ reads: number, faults: number, least: number, seconds: number }} Progress */

/**
 * One run: services, nodes, load and faults, until there is enough of everything; then the look at what is left.
 * @param {Options} options
 * @param {{ undo: import('./undo.mjs').Undo, signal: AbortSignal, onProgress: (progress: Progress) => void, say: (line: string) => void }} surroundings
 * @returns {Promise<Recorded>}
 */
export async function record(options, { undo, signal, onProgress, say }) {
  const random = new Random(options.seed);
  const failing = new globalThis.AbortController();
  const onError = (/** @type {Error} */ error) => failing.abort(error);
  const over = AbortSignal.any([signal, failing.signal]);
  const recorder = new Recorder();
  let crashes = 0;
  const onCrash = (/** @type {import('./node-process.mjs').NodeProcess} */ node, /** @type {string} */ log) => {
    say(`NODE ${node.index} HAS ENDED BY ITSELF:\n${log}`);
    crashes += 1;
    if (!over.aborted) startAgain(node, recorder).catch(onError);
  };

  /** @type {FaultProxy[]} */
  const proxies = [];
  /** @type {CommitCutter[]} */
  const cutters = [];
  const chances = Array.from({ length: options.nodes }, (_, index) => random.fork(`commits ${index}`));
  const { policy, faults } = options;
  const worldOptions = { ...options, withFurther: true, withSpare: faults.includes('redis-move') };
  const world = await openWorld(worldOptions, { undo, signal, say, onCrash }, async (index, { redis, databaseUrl }) => {
    const proxy = (proxies[index] = await FaultProxy.to(redis));
    const cutter = (cutters[index] = await CommitCutter.to(databaseUrl, () => chances[index]?.next() ?? 1));
    for (const opened of [proxy, cutter]) undo.add(() => opened.close());
    return { redisPort: proxy.port, databaseUrl: cutter.through(databaseUrl) };
  });
  const { folder, redis, spare, postgres, database, nodes, seeds, keys, client, adminToken } = world;
  const { readers, writers, settings } = options;
  const workload = new Workload({
    nodes,
    rows: new RowPool(keys, true),
    kinds: options.writes,
    random: random.fork('load'),
    client,
    recorder,
    database,
    readers,
    writers,
  });
  const places = nodes.map((node, index) => ({ node, proxy: /** @type {FaultProxy} */ (proxies[index]) }));
  const schedule = new Schedule({
    faults,
    times: options.times,
    places,
    world: {
      ...{
        redis,
        spare,
        postgres,
        database,
        workload,
        settings,
        cutters,
        places,
        policy,
        client,
        recorder,
        adminToken,
      },
    },
    random: random.fork('faults'),
    recorder,
    onError,
  });
  const startedMs = performance.now();
  workload.start();
  schedule.start();
  const seconds = () => (performance.now() - startedMs) / 1000;
  const enough = () =>
    options.seconds === undefined
      ? recorder.answered >= options.reads && schedule.least >= options.times
      : seconds() >= options.seconds;
  while (!over.aborted && !enough()) {
    onProgress({ reads: recorder.answered, faults: schedule.total, least: schedule.least, seconds: seconds() });
    await sleep(100);
  }
  over.throwIfAborted();
  await schedule.stop();
  await workload.stop();
  over.throwIfAborted();
  const lasted = seconds();

  say('everything is healed: comparing every node, level and row with the database');
  const outlive =
    options.policy === 'ttl' || faults.includes('sql') || (options.policy !== 'strict' && faults.includes('kill'));
  const { left, before } = await finalState({ ...world, settings, outlive, withFurther: true });
  recorder.resolve();
  const { reads, writes, faults: happened, losses, refusals } = recorder;
  const committed = await database.committed();
  return {
    history: { policy, settings, seeds, writes, reads, faults: happened, committed, left, losses, refusals },
    seconds: lasted,
    crashes,
    leftBeforeTtl: before.filter(({ version, expected }) => version !== expected).length,
    folder,
  };
}
