// @ts-check
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase, dropDatabase } from '../scripts/services/postgres-databases.mjs';
import { run as runCommand } from '../scripts/services/run.mjs';
import { RunDatabase } from './database.mjs';
import { bareEnvironment, nodeEnvironment } from './environment.mjs';
import { Schedule } from './faults/schedule.mjs';
import { finalState } from './final-state.mjs';
import { NodeProcess } from './node-process.mjs';
import { CommitCutter } from './proxy/commit-cutter.mjs';
import { FaultProxy } from './proxy/fault-proxy.mjs';
import { Random } from './random.mjs';
import { openRunFolder, PrivateRedis, providePostgres } from './services.mjs';
import { Client } from './workload/client.mjs';
import { Recorder } from './workload/recorder.mjs';
import { categories } from './workload/choices.mjs';
import { Workload } from './workload/workload.mjs';

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
  let crashes = 0;
  const onCrash = (/** @type {NodeProcess} */ node, /** @type {string} */ log) => {
    say(`NODE ${node.index} HAS ENDED BY ITSELF:\n${log}`);
    crashes += 1;
    if (!over.aborted) node.start().catch(onError);
  };

  const { folder, dist } = await openRunFolder(undo);
  const redis = await PrivateRedis.start(folder, undo, signal);
  const database = await openDatabase(options, folder, dist, undo, signal);
  const seeds = await database.prepare(options.rows, categories);
  const adminToken = randomBytes(24).toString('base64url');
  const chances = Array.from({ length: options.nodes }, (_, index) => random.fork(`commits ${index}`));
  const proxies = await Promise.all(Array.from({ length: options.nodes }, () => FaultProxy.to(redis.port)));
  const url = new URL(database.url);
  const cutters = await Promise.all(proxies.map((_, index) => CommitCutter.to(url, () => chances[index]?.next() ?? 1)));
  for (const proxy of [...proxies, ...cutters]) undo.add(() => proxy.close());
  const nodes = proxies.map(({ port }, index) => {
    const databaseUrl = cutters[index]?.through(url) ?? url.href;
    const env = nodeEnvironment(options, { databaseUrl, redisPort: port, adminToken });
    return new NodeProcess({ index, folder, dist, env, onCrash });
  });
  for (const node of nodes) undo.add(() => node.kill());
  say(`starting ${options.nodes} nodes under ${options.policy}, seed ${options.seed}`);
  await Promise.all(nodes.map((node) => node.start()));
  signal.throwIfAborted();

  const client = new Client();
  undo.add(() => client.close());
  const recorder = new Recorder();
  const keys = seeds.map(({ key }) => key).sort((a, b) => a - b);
  const { readers, writers, settings, faults } = options;
  const workload = new Workload({
    nodes,
    keys,
    random: random.fork('load'),
    client,
    recorder,
    database,
    readers,
    writers,
  });
  const places = nodes.map((node, index) => ({ node, proxy: /** @type {FaultProxy} */ (proxies[index]) }));
  const world = { redis, database, workload, settings, cutters };
  const schedule = new Schedule({
    faults,
    times: options.times,
    places,
    world,
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
  const { left, before } = await finalState({ nodes, client, database, settings, outlive, adminToken });
  const { reads, writes, faults: happened } = recorder;
  const committed = await database.committed();
  const { policy } = options;
  return {
    history: { policy, settings, seeds, writes, reads, faults: happened, committed, left },
    seconds: lasted,
    crashes,
    leftBeforeTtl: before.filter(({ version, expected }) => version !== expected).length,
    folder,
  };
}

/** @param {Options} options @param {string} folder @param {string} dist @param {import('./undo.mjs').Undo} undo @param {AbortSignal} signal */
async function openDatabase(options, folder, dist, undo, signal) {
  const adminUrl = options.postgres ?? (await providePostgres(folder, undo, signal));
  const name = `verify_${randomUUID().replaceAll('-', '')}`;
  await createDatabase(adminUrl, name);
  undo.add(() => dropDatabase(adminUrl, name));
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  await runCommand(process.execPath, [join(dist, 'src', 'migrate.js')], {
    env: { ...bareEnvironment(), DATABASE_URL: url.href },
    signal,
  });
  const database = new RunDatabase(url.href);
  undo.add(() => database.close());
  return database;
}
