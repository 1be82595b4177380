import { setTimeout as sleep } from 'node:timers/promises';
import { type CacheNode, renewGeneration, startCacheNode } from '../support/cache-node.js';
import { describeLevel } from '../support/level.contract.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { createMigratedDatabase } from '../support/start-app.js';

let redis: SharedRedis;
let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let node: CacheNode;

beforeAll(async () => {
  [redis, database] = await Promise.all([sharedRedis(), createMigratedDatabase()]);
});

beforeEach(async () => {
  node = await startCacheNode(database.url, redis.url, { CACHE_L1_MAX_BYTES: '100000' });
  await renewGeneration(node.connection);
  node.lease.extend(node.lease.begin(), node.clock.now());
});

afterEach(() => node.close());

afterAll(async () => {
  await database.drop();
});

const snapshot = async (): Promise<string> => {
  const [row] = await node.dataSource.query<[{ snapshot: string }]>('SELECT pg_current_snapshot()::text AS snapshot');
  return row.snapshot;
};

describeLevel('L1', () => ({
  level: node.l1,
  snapshot,
  pass: (ms) => Promise.resolve(node.clock.advance(ms)),
}));

// Redis keeps its own time, so this is the one place where a test waits for it.
describeLevel('L2', () => ({ level: node.l2, snapshot, pass: (ms) => sleep(ms) }));

describe('L1', () => {
  const address = { kind: 'row', key: 'row things:1', tag: 'things:1', coarse: 'things:*' } as const;
  const life = { freshMs: 600_000, keepMs: 600_000 };
  const dependencies = [
    { tag: 'things:1', stamp: 'a' },
    { tag: 'things:*', stamp: 'b' },
  ];
  const fill = (key: string = address.key, body = '{"n":1}') => {
    const ticket = node.l1.take({ ...address, key });
    return ticket && node.l1.fill(ticket, { body, dependencies, ...life });
  };

  it('stays within its bytes under very many keys, and never keeps what would push out most of it', () => {
    const { cacheL1MaxBytes } = node.settings;
    let most = 0;
    for (let n = 0; n < 100_000; n += 1) {
      fill(`row things:${n}`, `{"n":${n}}`);
      most = Math.max(most, node.l1.bytes);
    }
    expect(most).toBeLessThanOrEqual(cacheL1MaxBytes);
    expect(node.l1.entries).toBeGreaterThan(10);
    const kept = node.l1.entries;
    expect(fill('row things:large', JSON.stringify('x'.repeat(1_000_000)))).toBeUndefined();
    expect(node.l1.entries).toBe(kept);
    node.l1.invalidate(['things:*']);
    expect([node.l1.entries, node.l1.bytes, node.l1.keysUnder('things:1')]).toEqual([0, 0, []]);
  });

  describe('what hangs on an entry', () => {
    const hang = (key: string, bytes = 100) => {
      fill(key);
      const entry = node.l1.held(key)!;
      const attachment = { bytes, gone: jest.fn() };
      return { entry, attachment, hangs: node.l1.attach(entry, attachment) };
    };

    it.each<[string, () => void]>([
      ['is invalidated', () => node.l1.invalidate(['things:1'])],
      ['is replaced', () => void fill('row things:1')],
      ['has to make room', () => Array.from({ length: 300 }, (_, n) => fill(`row things:${n + 2}`))],
      ['is cleared with all the others', () => node.l1.clear()],
    ])('hears that it has gone, once, when it %s', (_what, go) => {
      const { entry, attachment, hangs } = hang('row things:1');
      expect([hangs, node.l1.held('row things:1')]).toEqual([true, entry]);
      expect(attachment.gone).not.toHaveBeenCalled();
      go();
      expect(attachment.gone).toHaveBeenCalledTimes(1);
      expect(node.l1.attach(entry, attachment)).toBe(false);
    });

    it('counts as its bytes, hangs on in place of another, and never makes it too large', () => {
      const { entry, attachment } = hang('row things:1');
      const { bytes } = node.l1;
      expect(node.l1.attach(entry, { bytes: 1_100, gone: jest.fn() })).toBe(true);
      expect(node.l1.bytes).toBe(bytes + 1_000);
      expect(attachment.gone).not.toHaveBeenCalled();
      expect(node.l1.attach(entry, { bytes: node.settings.cacheL1MaxBytes / 8, gone: jest.fn() })).toBe(false);
      expect(node.l1.held('row things:1')).toBe(entry);
      expect(entry.attachment).toBeUndefined();
      node.l1.invalidate(['things:1']);
      expect([node.l1.bytes, node.l1.keysUnder('things:1')]).toEqual([0, []]);
    });

    it('counts as used when its entry is served in place, however fast others come', () => {
      const { entry } = hang('row things:1');
      fill('row things:2');
      for (let n = 3; node.l1.evictions < 20; n += 1) {
        expect(node.l1.serves(entry, node.clock.now())).toBe(true);
        fill(`row things:${n}`);
      }
      expect([node.l1.held('row things:1'), node.l1.held('row things:2')]).toEqual([entry, undefined]);
    });

    it('counts as used lately after a while, even if no other comes', () => {
      const { entry } = hang('row things:1');
      fill('row things:2');
      const first = () => {
        node.lease.extend(node.lease.term!, node.clock.now());
        expect(node.l1.serves(entry, node.clock.now())).toBe(true);
        return node.l1.keys()[Symbol.iterator]().next().value;
      };
      expect(first()).toBe('row things:2');
      node.clock.advance(10_000);
      expect(first()).toBe('row things:1');
    });
  });

  describe('without any Redis', () => {
    const share = () => {
      const ticket = node.l1.takeWithoutRedis(address)!;
      return () => node.l1.fill(ticket, { body: '{"n":1}', ...life });
    };
    const found = () => node.l1.find(address.key, 600_000, { blind: () => true });
    beforeEach(() => node.lease.end(node.lease.term!));

    it('shares a value until a lease after its load began, on either clock', () => {
      const fill = share();
      node.clock.advance(node.settings.cacheL1LeaseMs - 2);
      fill();
      node.clock.advance(1);
      expect(found()).toMatchObject({ freshMs: 1, blind: true });
      node.clock.advance(1);
      expect(found()).toBeUndefined();
      share()();
      node.clock.suspend(node.settings.cacheL1LeaseMs);
      expect(found()).toBeUndefined();
    });

    it('drops it, and the fill under way, at an invalidation', () => {
      share()();
      node.l1.invalidate(['things:*']);
      expect(found()).toBeUndefined();
      const fill = share();
      node.l1.invalidate(['things:1']);
      expect(fill()).toBeUndefined();
    });

    it('forgets it when a connection begins, and never shows it to those who need a proof', () => {
      share()();
      expect(node.l1.find(address.key, 600_000)).toBeUndefined();
      expect(node.l1.suspect(address.key, 600_000)).toBeUndefined();
      node.lease.extend(node.lease.begin(), node.clock.now());
      expect(found()).toBeUndefined();
      expect(node.l1.suspect(address.key, 600_000)).toBeUndefined();
    });
  });

  it('serves nothing once the lease has run out, and again once it is renewed', () => {
    fill();
    node.clock.advance(node.settings.cacheL1LeaseMs);
    expect(node.l1.find(address.key, 0)).toBeUndefined();
    node.lease.extend(node.lease.term!, node.clock.now());
    expect(node.l1.find(address.key, 0)).toBeDefined();
  });

  it('counts the lease from when the heartbeat was sent, not from its answer', () => {
    fill();
    const sentAt = node.clock.now();
    node.clock.advance(900);
    node.lease.extend(node.lease.term!, sentAt);
    node.clock.advance(100);
    expect(node.l1.find(address.key, 0)).toBeUndefined();
  });

  it('forgets everything when the invalidation connection ends', () => {
    fill();
    node.lease.end(node.lease.term!);
    node.lease.extend(node.lease.begin(), node.clock.now());
    expect(node.l1.find(address.key, 0)).toBeUndefined();
  });

  it('refuses a fill that began on an earlier connection', () => {
    const ticket = node.l1.take(address)!;
    node.lease.end(node.lease.term!);
    node.lease.extend(node.lease.begin(), node.clock.now());
    expect(node.l1.fill(ticket, { body: '1', dependencies, ...life })).toBeUndefined();
  });

  it('refuses a fill that depends on a tag nobody watched', () => {
    const ticket = node.l1.take({ kind: 'response', key: 'response /things' })!;
    expect(node.l1.fill(ticket, { body: '1', dependencies, ...life })).toBeUndefined();
  });

  it('serves nothing after the machine has slept', () => {
    fill();
    node.clock.suspend(60_000);
    expect(node.l1.find(address.key, 0)).toBeUndefined();
  });

  it('counts a short sleep as time that has passed', () => {
    fill();
    node.clock.suspend(600);
    node.clock.advance(399);
    expect(node.l1.find(address.key, 0)).toBeDefined();
    node.clock.advance(1);
    expect(node.l1.find(address.key, 0)).toBeUndefined();
  });

  it('counts a sleep between a heartbeat and its answer', () => {
    fill();
    const sentAt = node.clock.now();
    node.clock.suspend(600);
    node.lease.extend(node.lease.term!, sentAt);
    node.clock.advance(400);
    expect(node.l1.find(address.key, 0)).toBeUndefined();
  });

  it('is not prolonged by a wall clock that is set back', () => {
    fill();
    node.clock.suspend(-60_000);
    node.clock.advance(1_000);
    expect(node.l1.find(address.key, 0)).toBeUndefined();
  });

  it('ignores a heartbeat of an earlier connection', () => {
    const term = node.lease.term!;
    node.lease.end(term);
    node.lease.extend(term, node.clock.now());
    expect(node.lease.valid).toBe(false);
  });

  it('keeps its lease when an earlier connection ends', () => {
    const term = node.lease.term!;
    node.lease.end(term);
    const next = node.lease.begin();
    node.lease.extend(next, node.clock.now());
    node.lease.end(term);
    expect([node.lease.valid, node.lease.term]).toEqual([true, next]);
  });

  it('stays within its bytes, and forgets what was used least recently', () => {
    for (let n = 0; n < 200; n += 1) fill(`row things:${n}`, JSON.stringify({ text: 'x'.repeat(500) }));
    expect(node.l1.bytes).toBeLessThanOrEqual(100_000);
    expect(node.l1.evictions).toBe(200 - node.l1.entries);
    expect(node.l1.find('row things:199', 0)).toBeDefined();
    expect(node.l1.find('row things:0', 0)).toBeUndefined();
  });

  it('keeps no value that would push out a large share of the others', () => {
    fill();
    expect(fill('row things:big', `"${'x'.repeat(20_000)}"`)).toBeUndefined();
    expect(node.l1.find(address.key, 0)).toBeDefined();
  });

  it('bounds the number of absent rows', () => {
    for (let n = 0; n < 10_050; n += 1) fill(`row things:${n}`, 'null');
    expect(node.l1.entries).toBe(10_000);
    node.l1.clear();
    expect(node.l1.evictions).toBe(50);
  });
});
