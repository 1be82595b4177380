// @ts-check
import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { closedLoop } from '../load/closed-loop.mjs';

const inFlight = 64;

/**
 * A hit in L2, as the product's own level reads it, next to the least that an answer of the same bytes can cost: a script
 * that does nothing but return them, called on the same client.
 * @param {import('../nodes.mjs').Nodes} nodes
 * @param {import('../scenarios.mjs').Surroundings} surroundings
 * @returns {Promise<import('../measure/race.mjs').Race>}
 */
export async function rowHits(nodes, { undo }) {
  const { level, connection, dataSource } = await openLevel(nodes, undo);
  const address = { kind: 'row', key: 'row items:1', tag: 'items:1', coarse: 'items:*' };
  const missed = await level.read(address);
  if (missed.outcome !== 'miss') throw new Error('a row that nobody has stored is there');
  const [{ snapshot }] = await dataSource.query('SELECT pg_current_snapshot()::text AS snapshot');
  const body = JSON.stringify({ id: 1, name: 'Item 1', description: 'A description of some length. '.repeat(10) });
  await level.fill(missed.ticket, { body, snapshot, freshMs: 3_600_000, keepMs: 3_600_000 });
  const [first] = (await level.read(address)).entry.dependencies;
  const [, coarse] = (await level.read(address)).entry.dependencies;
  const answer = [body, first.stamp, coarse.stamp, '3600000', '3600000'];
  const { gen } = connection;
  const send = (/** @type {(own: any) => Promise<any>} */ work) => connection.command(gen, work);
  const load = (/** @type {string} */ script) => send((own) => own.scriptLoad(script));
  await send((own) => own.hSet('bare hash', Object.fromEntries(answer.map((part, i) => [String(i), part]))));
  await send((own) => own.set('bare text', answer.join()));
  const text = await load("#!lua\nreturn redis.call('GET', KEYS[1])");
  const hash = await load("#!lua\nreturn redis.call('HMGET', KEYS[1], '0', '1', '2', '3', '4')");
  const constant = await load(`#!lua\nreturn { ${answer.map((part) => `'${part}'`).join(', ')} }`);
  const client = await connection.command(gen, (/** @type {any} */ own) => Promise.resolve(own));
  const hit = async () => {
    if ((await level.read(address)).outcome !== 'hit') throw new Error('not a hit');
  };
  const bare = (/** @type {string} */ sha, /** @type {string[]} */ ...keys) =>
    closedLoop(() => client.evalSha(sha, { keys, arguments: [] }), inFlight);
  return {
    ...{
      name: `a row from Redis, ${inFlight} in flight`,
      control: 'EVALSHA',
      rounds: 100,
      sliceMs: 100,
      warmUpMs: 1_500,
    },
    subjects: [
      { name: 'L2 row hit', what: 'RedisLevel.read', drive: closedLoop(hit, inFlight) },
      { name: 'EVALSHA', what: 'a script that only reads and returns the same bytes', drive: bare(hash, 'bare hash') },
      { name: 'EVALSHA GET', what: 'the same bytes as one string', drive: bare(text, 'bare text') },
      { name: 'EVALSHA constant', what: 'the same bytes, without reading anything', drive: bare(constant) },
    ],
    targets: [
      { of: 'L2 row hit', to: 'EVALSHA', metric: 'rate', atLeast: 0.7 },
      { of: 'L2 row hit', to: 'EVALSHA GET', metric: 'rate' },
      { of: 'L2 row hit', to: 'EVALSHA constant', metric: 'rate' },
    ],
  };
}

/** @param {import('../nodes.mjs').Nodes} nodes @param {import('../../verify/undo.mjs').Undo} undo @returns {Promise<any>} */
async function openLevel(nodes, undo) {
  const { databaseUrl, redisUrl } = await nodes.services('row-hits', 1);
  const product = (/** @type {string[]} */ ...path) =>
    import(pathToFileURL(join(nodes.opened.dist, 'src', ...path)).href);
  await import('reflect-metadata');
  Logger.overrideLogger(false);
  const {
    CacheEvents,
    Clock,
    GenerationRecord,
    Namespace,
    RedisConnection,
    RedisFaults,
    RedisLevel,
    RedisTags,
    SystemClock,
  } = await product('cache', 'testing.js');
  const { loadSettings, Settings } = await product('config', 'index.js');
  const { DataSource } = await import('typeorm');
  const settings = loadSettings({ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, REDIS_TIMEOUT_MS: '1000' });
  const dataSource = await new DataSource({ type: 'postgres', url: databaseUrl }).initialize();
  undo.add(() => dataSource.destroy());
  const providers = [
    ...[CacheEvents, GenerationRecord, Namespace, RedisConnection, RedisFaults, RedisLevel, RedisTags],
    { provide: Clock, useClass: SystemClock },
    { provide: Settings, useValue: settings },
    { provide: DataSource, useValue: dataSource },
  ];
  const root = class {};
  Module({ providers })(root);
  const context = await NestFactory.createApplicationContext(root, { logger: false });
  undo.add(() => context.close());
  return { level: context.get(RedisLevel), connection: context.get(RedisConnection), dataSource };
}
