import fc from 'fast-check';
import { anyRowTag, coarseTag, entityOf, filterTag, isCoarse, isTag, rowTag } from '../../src/cache/core/tags.js';
import { queryAddress, responseAddress, rowAddress, uriTag } from '../../src/cache/engine/addresses.js';
import { beatsKey, derivedKey } from '../../src/cache/levels/l2/keys.js';
import { tagKey } from '../../src/cache/testing.js';
import { ValueStore } from '../../src/cache/cache-manager/value-store.js';
import { EntityRules, queryTags, rowTags } from '../../src/cache/rules.js';
import { type CacheNode, startCacheNode } from '../support/cache-node.js';
import { ruleOf } from '../support/changing-entities.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { createMigratedDatabase } from '../support/start-app.js';

/** Names made of what means something in a tag or in a key, and anything else: halves of surrogate pairs, too. */
const pieces = ['*', ':', '?', '%', '%2A', '&', '=', '+', ' ', '\n', 'a', 'b', '1', '\ud800', '\udfff', 'é', '\u0000'];
const text = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 5 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const entity = fc.constantFrom('a', 'b', 'a.b', 'a-b');
const wellFormed = text.filter((value) => !/[\ud800-\udfff]/u.test(value));
const filter = fc.dictionary(wellFormed, wellFormed, { minKeys: 1, maxKeys: 2 });

/** Something that is cached: what it is, and the text that stands for it. */
const tagged = fc.oneof(
  fc.tuple(entity, text).map(([name, id]) => ({ what: ['row', name, id], tag: rowTag(name, id) })),
  fc
    .tuple(entity, filter)
    .map(([name, by]) => ({ what: ['filter', name, Object.entries(by).sort()], tag: filterTag(name, by) })),
  entity.map((name) => ({ what: ['any', name], tag: anyRowTag(name) })),
  entity.map((name) => ({ what: ['coarse', name], tag: coarseTag(name) })),
  text.map((uri) => ({ what: ['uri', uri], tag: uriTag(uri) })),
  text.map((key) => ({ what: ['value', key], tag: rowTags('values', key).tag })),
);
const kept = fc.oneof(
  tagged.map(({ what, tag }) => ({ what, key: tagKey('g', tag) })),
  fc
    .tuple(entity, text)
    .map(([name, key]) => ({ what: ['query', name, key], key: derivedKey('g', queryAddress(name, key, []).key) })),
  text.map((key) => ({ what: ['response', key], key: derivedKey('g', responseAddress(key).key) })),
);

/** The same text only for the same thing. */
function expectDistinct(all: readonly (readonly [what: unknown, text: string])[]): void {
  const named = all.map(([what, name]) => [name, JSON.stringify(what)] as const);
  const things = new Map(named);
  expect(named.filter(([name, thing]) => things.get(name) !== thing)).toEqual([]);
}

describe('names', () => {
  /** Many at once, so that each meets all others. */
  const many = { minLength: 300, maxLength: 300, size: 'max' } as const;
  const numRuns = 40;

  it('of different things are never one tag, and every tag says whose it is', () => {
    fc.assert(
      fc.property(fc.array(tagged, many), (all) => {
        expectDistinct(all.map(({ what, tag }) => [what, tag]));
        const said = all.map(({ tag }) => [isTag(tag), isCoarse(tag), tag.endsWith('*'), entityOf(tag)]);
        const meant = all.map(({ what: [kind, name] }) => {
          const coarse = kind === 'coarse';
          return [true, coarse, coarse, { uri: 'uri', value: 'values' }[String(kind)] ?? name];
        });
        expect(said).toEqual(meant);
        // A header can carry them (RFC 9651).
        expect(all.filter(({ tag }) => !/^[\x20-\x7e]+$/.test(tag))).toEqual([]);
      }),
      { numRuns },
    );
  });

  it('of different things are never one key in Redis', () => {
    fc.assert(
      fc.property(fc.array(kept, many), (all) => {
        expectDistinct(all.map(({ what, key }) => [what, Buffer.from(key).toString('hex')]));
      }),
      { numRuns },
    );
  });

  it('such as a and b:1, or a:b and 1, cannot both be there', () => {
    expect(() => new EntityRules().add(ruleOf('a:b', Object))).toThrow('"a:b" is no name for tags');
  });
});

/** Redis is there: nothing has to be kept for later. */
const delivery = { deliver: async (_tags: unknown, send: () => Promise<unknown>) => void (await send()) };

describe('in Redis, whatever the names', () => {
  let redis: SharedRedis;
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let node: CacheNode;
  let values: ValueStore;
  beforeAll(async () => {
    [redis, database] = await Promise.all([sharedRedis(), createMigratedDatabase()]);
    node = await startCacheNode(database.url, redis.url);
    values = new ValueStore(node.settings, node.l1, node.l2, node.tags, delivery);
  });
  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  const life = { freshMs: 60_000, keepMs: 60_000 };
  /** A load's snapshot that has seen everything. */
  const snapshot = '1000000:1000000:';
  const writer = { xid: '900', xmin: '900' };
  const operation = fc.oneof(
    fc.tuple(entity, text).map(([name, id]) => async () => {
      const address = rowAddress(name, id);
      const read = await node.l2.read(address);
      if (read.outcome === 'miss') await node.l2.fill(read.ticket, { body: '1', snapshot, ...life });
    }),
    fc.tuple(entity, text, filter).map(([name, key, by]) => async () => {
      const read = await node.l2.read(queryAddress(name, key, queryTags(name, by)));
      if (read.outcome === 'miss') await node.l2.fill(read.ticket, { body: '[]', snapshot, ...life });
    }),
    text.map((key) => async () => {
      const dependencies = await node.l2.stamps([uriTag(key)]);
      const read = await node.l2.read(responseAddress(key));
      if (read.outcome === 'miss')
        await node.l2.fill(read.ticket, { body: '{}', dependencies: dependencies!, ...life });
    }),
    text.map((key) => () => values.set(key, 1)),
    text.map((key) => () => values.del(key)),
    tagged.map(
      ({ tag }) =>
        () =>
          node.tags.invalidate([tag]),
    ),
    tagged.map(
      ({ tag }) =>
        () =>
          node.tags.fenceMissed([{ tags: [tag], writer }]).then(() => undefined),
    ),
    tagged.map(({ tag }) => async () => {
      await node.tags.fence([tag], writer);
      await node.tags.rolledBack([tag], writer.xid);
    }),
    tagged.map(
      ({ tag }) =>
        () =>
          node.l2.stamps([tag]).then(() => undefined),
    ),
  );

  it('everything but the coarse tags expires, and those never do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 12 }), async (operations) => {
        await node.connection.renewGeneration();
        const { gen } = node.connection;
        for (const run of operations) await run();
        const coarse = new Set(['a', 'b', 'a.b', 'a-b', 'values'].map((name) => tagKey(gen, coarseTag(name))));
        // Of the generation as a whole, and removed with it.
        const others = [beatsKey(gen)];
        const keys = await node.connection.command(gen, (client) => client.keys(`strata:${gen}:*`));
        for (const key of keys.filter((name) => !others.includes(name))) {
          const left = await node.connection.command(gen, (client) => client.pTTL(key));
          expect([key, left > 0]).toEqual([key, !coarse.has(key)]);
        }
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it('an invalidation leaves the expiry of a tag whose writers have committed', async () => {
    const { gen } = node.connection;
    await node.tags.fenceMissed([{ tags: ['a:left'], writer }]);
    await node.tags.invalidate(['a:left']);
    expect(await node.connection.command(gen, (client) => client.pTTL(tagKey(gen, 'a:left')))).toBeGreaterThan(0);
  });

  it('CACHE_MANAGER has a value under `*` like any other, and its other values stay', async () => {
    await values.set('other', 1);
    await values.set('*', 2);
    await values.set(':*', 3);
    await values.del('*');
    expect(await Promise.all([values.get('other'), values.get('*'), values.get(':*')])).toEqual([1, undefined, 3]);
    await values.reset();
    expect(await values.get('other')).toBeUndefined();
  });
});
