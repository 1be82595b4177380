import fc from 'fast-check';
import { namespaceOf, recordKey, valueField } from '../../src/cache/levels/l2/keys.js';
import { type ScriptName } from '../../src/cache/levels/l2/scripts.js';
import { tagKey } from '../../src/cache/testing.js';
import { type CacheNode, renewGeneration, startCacheNode } from '../support/cache-node.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { createMigratedDatabase } from '../support/start-app.js';
import { MemoryRedis } from './memory-redis.js';

/** So many generated command sequences, each run on Redis and in memory; more where a guard is switched off. */
const sequences = process.env['STRATA_MUTANT'] ? 500 : 200;

let redis: SharedRedis;
let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let node: CacheNode;

beforeAll(async () => {
  [redis, database] = await Promise.all([sharedRedis(), createMigratedDatabase()]);
  node = await startCacheNode(database.url, redis.url);
});

afterAll(async () => {
  await node.close();
  await database.drop();
});

interface Command {
  readonly name: ScriptName;
  readonly tags: readonly string[];
  readonly args: readonly string[];
}

const epoch = 20;
const writers = [18, 21];
const life = ['60000', '120000'];
const rows = fc.constantFrom('things:1', 'things:1', 'things:1', 'things:2');
const lists = fc.constantFrom('things', 'things?color=red');
const coarse = 'things:*';
const anyTag = fc.oneof(
  { weight: 4, arbitrary: rows },
  { weight: 4, arbitrary: lists },
  { weight: 1, arbitrary: fc.constant(coarse) },
);
const xid = fc.integer({ min: 15, max: 40 });
const seenFrom = fc.integer({ min: 18, max: 60 });
// A ticket's name becomes the stamp of a tag that has none.
const nonce = fc.constantFrom('s1', 's2');
const stamp = fc.constantFrom('s1', 's1', 's1', 's2');
const age = fc.constantFrom('0', '0', '-inf');
const snapshot = fc

  .record({ xmin: seenFrom, span: fc.nat(20), running: fc.array(seenFrom, { maxLength: 3 }) })
  .map(({ xmin, span, running }) => {
    const between = running.filter((id) => id >= xmin && id < xmin + span).sort((a, b) => a - b);
    return `${xmin}:${xmin + span}:${[...new Set(between)].join(',')}`;
  });

const command = (name: ScriptName, tags: fc.Arbitrary<string[]>, args: fc.Arbitrary<string[]>): fc.Arbitrary<Command> =>
  fc.record({ name: fc.constant(name), tags, args });
const rowKeys = rows.map((row) => [row, coarse]);
const someTags = fc.uniqueArray(anyTag, { minLength: 1, maxLength: 3 });
const nodes = fc.constant<string[]>(['nodes']);
const aNode = fc.constantFrom('node-a', 'node-b');
const texts = (...parts: fc.Arbitrary<unknown>[]): fc.Arbitrary<string[]> =>
  fc.tuple(...parts).map((all) => all.map(String));

const commands = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .tuple(fc.constantFrom(0, 60_000), fc.array(fc.tuple(rows, nonce, age), { minLength: 1, maxLength: 3 }))
        .map(([windowMs, reads]): Command => ({
          name: 'getRows',
          tags: [coarse, ...reads.map(([row]) => row)],
          args: [String(windowMs), ...reads.flatMap(([, name, staleMs]) => [name, staleMs])],
        })),
    },
    {
      weight: 4,
      arbitrary: command(
        'fillRow',
        rowKeys,
        texts(
          nonce,
          fc.constant(valueField),
          fc.constantFrom('"a"', '"b"'),
          snapshot,
          ...life.map((ms) => fc.constant(ms)),
        ),
      ),
    },
    {
      weight: 4,
      arbitrary: fc
        .tuple(someTags, xid, xid, fc.array(stamp, { minLength: 3, maxLength: 3 }), fc.boolean())
        .map(([tags, id, xmin, stamps, loads]): Command => {
          // The record is the first key, the coarse tag the last.
          const isRow = (tag: string) => loads && /^things:\d$/.test(tag);
          const pairs = tags.flatMap((tag, i) => [stamps[i]!, String(isRow(tag) ? tags.length + 4 : 0)]);
          return {
            name: 'fence',
            tags: ['nodes', 'noted', ...tags, coarse],
            args: [String(id), String(Math.min(xmin, id)), 'test', '{}', ...pairs],
          };
        }),
    },
    { weight: 1, arbitrary: command('rolledBack', someTags, texts(xid, fc.constant(60_000))) },
    {
      weight: 1,
      arbitrary: command('beat', nodes, texts(aNode, fc.constant('test'), fc.constant('{}'), fc.constantFrom('1', ''))),
    },
    { weight: 1, arbitrary: command('forgetNode', nodes, texts(aNode, fc.constantFrom(1, 2))) },
    { weight: 1, arbitrary: command('raiseEpoch', fc.constant([]), texts(fc.constantFrom(10, 20, 22))) },
    { weight: 2, arbitrary: command('readTags', someTags, texts(fc.constant(60_000), stamp, stamp, stamp)) },
    { weight: 2, arbitrary: command('verify', someTags, texts()) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(someTags, snapshot, fc.array(stamp, { minLength: 3, maxLength: 3 }))
        .map(([tags, seen, stamps]): Command => ({
          name: 'storeDerived',
          tags: ['entry', ...tags],
          args: ['"list"', '[]', ...life, seen, ...stamps.slice(0, tags.length)],
        })),
    },
    { weight: 1, arbitrary: fc.constant<Command>({ name: 'readDerived', tags: ['entry'], args: [] }) },
    {
      weight: 1,
      arbitrary: command(
        'invalidate',
        someTags,
        texts(fc.constant(60_000), fc.constant('test'), fc.constant('{}'), stamp, stamp, stamp),
      ),
    },
  ),
  { minLength: 5, maxLength: 60 },
);

/** Times differ by what the machine took; whether there are any does not. */
function timeless(name: ScriptName, reply: unknown): unknown {
  if (!Array.isArray(reply)) return reply;
  if (name === 'fence') return reply.slice(0, 1);
  if (name === 'getRows')
    return reply.map((part: unknown) =>
      Array.isArray(part) && part.length > 1 ? timeless('readDerived', part) : part,
    );
  return reply.map((part: unknown) => (typeof part === 'number' ? 'ms' : part));
}

it('Redis and the shared decisions answer the same to every sequence of commands', async () => {
  const accepted = new Map<ScriptName, number>();
  await fc.assert(
    fc.asyncProperty(commands, async (sequence) => {
      await renewGeneration(node.connection);
      const gen = node.connection.gen;
      await node.connection.command(gen, (client) =>
        client.hSet(recordKey(namespaceOf(gen)), { epoch: String(epoch), writers: writers.join(',') }),
      );
      const memory = new MemoryRedis(() => Date.now());
      Object.assign(memory, { gen, beginning: { epoch, writers } });
      const log: unknown[] = [];
      for (const { name, tags, args } of sequence) {
        const keys = tags.map((tag) => tagKey(gen, tag));
        const real = timeless(name, await node.connection.run(gen, name, keys, args));
        const shared = timeless(name, memory.run(gen, name, keys, args));
        log.push([name, tags, args, real]);
        expect({ log, reply: shared }).toEqual({ log, reply: real });
        const full = Array.isArray(real) ? real.length > 0 : real === 1;
        const hit = (part: unknown) => Array.isArray(part) && part.length > 1;
        if (name === 'getRows' ? Array.isArray(real) && real.some(hit) : full)
          accepted.set(name, (accepted.get(name) ?? 0) + 1);
      }
    }),
    // Of a mutant it is enough to know that there is a difference, every time.
    { numRuns: sequences, ...(process.env['STRATA_MUTANT'] && { seed: 1, endOnFailure: true }) },
  );
  for (const name of ['getRows', 'fillRow', 'storeDerived'] as const)
    expect(accepted.get(name) ?? 0).toBeGreaterThan(10);
}, 600_000);
