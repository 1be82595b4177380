import { randomUUID } from 'node:crypto';
import { ChangeFeed } from '../../src/invalidation/index.js';
import { FeedSlot } from '../../src/invalidation/feed/feed-slot.js';
import { type Pooler, StandInPooler } from '../support/pooler.js';
import { hasPgBouncer, startPgBouncer } from '../support/services/pgbouncer.js';
import { createDatabase, sharedRedis, type SharedRedis, type TestDatabase } from '../support/services.js';
import { sqlFromElsewhere } from '../support/sql-from-elsewhere.js';
import { createMigratedDatabase, migrateDatabase, startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';
import { adminEnv, adminToken, warmingOf } from '../support/warming.js';

let redis: SharedRedis;
let database: TestDatabase;

beforeAll(async () => {
  [redis, database] = await Promise.all([sharedRedis(), createMigratedDatabase()]);
});
afterAll(async () => {
  await database.drop();
});

const direct = (sql: string, parameters?: unknown[]) => sqlFromElsewhere(database.url, sql, parameters);
const item = (name: string) => ({ name, category: 'pooled', price: 1, quantity: 1 });

/** What a statement may need that belongs to a session: behind a pooler it would be somebody else's next. */
const sessionState =
  /(^|;)\s*(set\s+(?!local|transaction)|listen|prepare|declare|discard|create\s+temp)|pg_(try_)?advisory_lock|set_config/i;
/** Does nothing behind a pooler. */
const deadlines = /set_config\(name, setting, false\)[^;]*WHERE pg_backend_pid\(\) = \$3/;

const poolers: readonly [string, (url: string) => Promise<Pooler>, boolean][] = [
  ['a pooler', (url) => StandInPooler.before(url), true],
  ['PgBouncer in transaction mode', startPgBouncer, hasPgBouncer()],
];

for (const [name, start, available] of poolers) {
  // The stand-in refuses what PgBouncer refuses. Where that is installed, it has the last word.
  (available ? describe : describe.skip)(`behind ${name}, the service`, () => {
    let pooler: Pooler;
    let node: TestApp;
    const get = (path: string) => node.http.get(path);
    const switchTo = (policy: string) =>
      node.http.put('/admin/cache/policies/items').auth(adminToken, { type: 'bearer' }).send({ policy }).expect(200);

    beforeAll(async () => {
      pooler = await start(database.url);
      node = await startApp({
        redis: redis.url,
        database: pooler.through(database.url),
        env: {
          ...{
            CACHE_FEED: 'on',
            DATABASE_DIRECT_URL: database.url,
            DATABASE_TIMEOUT_MS: '1000',
            CACHE_TTL_MS: '600000',
          },
          ...{ DATABASE_POOL_SIZE: '8', CACHE_L1_LEASE_MS: '1000', ...adminEnv },
        },
      });
    });
    afterAll(async () => {
      await node.close();
      await pooler.stop();
      await direct(
        'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()',
      );
    });

    it('reads, writes, warms, switches policies and sees changes from elsewhere', async () => {
      await until(() => node.app.get(ChangeFeed).state === 'leading');
      const id = (await node.http.post('/items').send(item('made')).expect(201)).body.id as number;
      for (const policy of ['strict', 'write-through', 'invalidate']) {
        await switchTo(policy);
        await node.http.put(`/items/${id}`).send(item(policy)).expect(200);
        expect((await get(`/items/${id}`).expect(200)).body.name).toBe(policy);
      }
      await warmingOf(node).done({ strategy: 'all' });
      const key = randomUUID();
      const post = () => node.http.post('/items').set('Idempotency-Key', key).send(item('once')).expect(201);
      expect((await post()).body).toEqual((await post()).body);
      await get(`/items/${id}`);
      await direct("UPDATE items SET name = 'from elsewhere' WHERE id = $1", [id]);
      await until(async () => (await get(`/items/${id}`)).body.name === 'from elsewhere');
      expect((await get('/health').expect(200)).body.details.feed).toEqual({ status: 'up', state: 'leading' });
    });

    it('ends a late statement at its deadline, and leaves none behind', async () => {
      const locked = direct('BEGIN; LOCK TABLE items; SELECT pg_sleep(600)').catch(() => undefined);
      const held = async () =>
        (
          await direct(
            "SELECT FROM pg_locks WHERE relation = 'items'::regclass AND mode = 'AccessExclusiveLock' AND granted",
          )
        ).length;
      await until(async () => (await held()) === 1);
      const waiting = async () =>
        (await direct("SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'items'")).length;
      const answers = Array.from({ length: 8 }, (_, n) => get(`/items/${900_000 + n}`).then(({ status }) => status));
      await until(async () => (await waiting()) > 0);
      expect(new Set(await Promise.all(answers))).toEqual(new Set([503]));
      await until(async () => (await waiting()) === 0);
      expect(await held()).toBe(1);
      await direct("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)'");
      await locked;
    });

    it('leaves nothing of its own in the sessions that clients share', async () => {
      for (let n = 0; n < 20; n += 1) {
        const [left] = await node.dataSource.query<[object]>(
          `SELECT (SELECT count(*) FROM pg_prepared_statements WHERE name <> '') AS prepared,
                  (SELECT count(*) FROM pg_listening_channels()) AS channels,
                  (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory') AS locks,
                  (SELECT count(*) FROM pg_class WHERE relpersistence = 't') AS temporary,
                  (SELECT setting FROM pg_settings WHERE name = 'statement_timeout') AS statement_timeout,
                  (SELECT setting FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout') AS idle`,
        );
        expect(left).toEqual({
          prepared: '0',
          channels: '0',
          locks: '0',
          temporary: '0',
          statement_timeout: '0',
          idle: '0',
        });
      }
      if (!(pooler instanceof StandInPooler)) return;
      expect(pooler.statements.length).toBeGreaterThan(100);
      expect(pooler.statements.filter((sql) => sessionState.test(sql) && !deadlines.test(sql))).toEqual([]);
      expect(pooler.names).toEqual([]);
    });

    it('makes no slot where only the pooler can be reached, and says what is missing', async () => {
      const own = await createMigratedDatabase();
      const lonely = await startApp({
        redis: redis.url,
        database: pooler.through(own.url),
        env: { CACHE_FEED: 'on' },
      });
      try {
        await until(() => lonely.app.get(ChangeFeed).state === 'unsupported');
        const { feed } = (await lonely.http.get('/health').expect(200)).body.details;
        expect(feed).toMatchObject({ status: 'degraded', reason: expect.stringContaining('DATABASE_DIRECT_URL') });
        expect((await lonely.app.get(FeedSlot).look()).state).toBe('absent');
      } finally {
        await lonely.close();
        await own.drop();
      }
    });

    it('can be migrated by several nodes at once, and none leaves the lock behind', async () => {
      const own = await createDatabase();
      try {
        await Promise.all([1, 2, 3].map(() => migrateDatabase(pooler.through(own.url))));
        const locks =
          "SELECT FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        expect(await sqlFromElsewhere(own.url, locks)).toEqual([]);
      } finally {
        await own.drop();
      }
    });
  });
}

it('a direct URL that leads to another database is refused, and nothing is made there', async () => {
  const [own, other] = await Promise.all([createMigratedDatabase(), createMigratedDatabase()]);
  const env = { CACHE_FEED: 'on', DATABASE_DIRECT_URL: other.url };
  const node = await startApp({ redis: redis.url, database: own.url, env });
  try {
    await until(() => node.app.get(ChangeFeed).state === 'unsupported');
    const { feed } = (await node.http.get('/health').expect(200)).body.details;
    expect(feed.reason).toBe('DATABASE_DIRECT_URL leads to another database than DATABASE_URL');
    const slots = 'SELECT FROM pg_replication_slots WHERE database = current_database()';
    expect([...(await sqlFromElsewhere(own.url, slots)), ...(await sqlFromElsewhere(other.url, slots))]).toEqual([]);
  } finally {
    await node.close();
    await Promise.all([own.drop(), other.drop()]);
  }
});

it('a direct connection has its deadlines from PostgreSQL itself', async () => {
  const node = await startApp({ database: database.url, env: { DATABASE_TIMEOUT_MS: '1500' } });
  try {
    const setting = (name: string) => node.dataSource.query(`SELECT current_setting('${name}') AS value`);
    expect(await setting('statement_timeout')).toEqual([{ value: '1500ms' }]);
    expect(await setting('idle_in_transaction_session_timeout')).toEqual([{ value: '15s' }]);
  } finally {
    await node.close();
  }
});
