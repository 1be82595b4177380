import { Agent, request as httpRequest } from 'node:http';
import { DataSource } from 'typeorm';
import { ItemsReader } from '../../src/items/index.js';
import { migrateDatabase, startApp, type StartAppOptions, type TestApp } from '../support/start-app.js';
import { startPostgres, type TestPostgres } from '../support/services.js';
import { until } from '../support/until.js';

const hammer = { name: 'Hammer', description: null, category: 'tools', price: 19.99, quantity: 3 };

/** A service with short deadlines, which a machine that stands still may miss while it starts: then once more. */
async function startBrisk(options: StartAppOptions): Promise<TestApp> {
  let app: TestApp | undefined;
  await until(async () => (app = await startApp(options).catch(() => undefined)) !== undefined);
  return app!;
}

/** Row 1, made on a connection that has no deadline. */
async function insertHammer({ databaseUrl }: TestApp): Promise<void> {
  const dataSource = await new DataSource({ type: 'postgres', url: databaseUrl }).initialize();
  await dataSource.query("INSERT INTO items (name, category, price, quantity) VALUES ('Hammer', 'tools', 1, 1)");
  await dataSource.destroy();
}

/** Runs work while another transaction holds the lock of row 1. */
async function whileRowIsLocked({ databaseUrl }: TestApp, work: () => Promise<void>): Promise<void> {
  const dataSource = await new DataSource({ type: 'postgres', url: databaseUrl }).initialize();
  const holder = dataSource.createQueryRunner();
  await holder.startTransaction();
  await holder.query('SELECT 1 FROM items WHERE id = 1 FOR UPDATE');
  await work().finally(() => dataSource.destroy());
}

describe('a request that takes too long', () => {
  let app: TestApp;
  afterEach(() => app.close());

  it('is a 503 at its deadline, and its connection can be used again', async () => {
    app = await startBrisk({ env: { REQUEST_TIMEOUT_MS: '2000' } });
    await insertHammer(app);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const send = (method: string) =>
      new Promise<{ status: number; retryAfter: string | undefined; reused: boolean }>((resolve, reject) => {
        const body = method === 'PUT' ? JSON.stringify(hammer) : '';
        const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
        const req = httpRequest(`${app.url}/items/1`, { method, agent, headers }, (res) => {
          res.resume().once('end', () => {
            resolve({ status: res.statusCode ?? 0, retryAfter: res.headers['retry-after'], reused: req.reusedSocket });
          });
        });
        req.once('error', reject).end(body);
      });
    await whileRowIsLocked(app, async () => {
      expect(await send('PUT')).toEqual({ status: 503, retryAfter: '1', reused: false });
      // A read has the same deadline, which a machine that stands still may miss.
      await until(async () => {
        const { status, reused } = await send('GET');
        expect(reused).toBe(true);
        return status === 200;
      });
    });
    agent.destroy();
  });

  it('is a 503 when PostgreSQL ends its statement', async () => {
    app = await startBrisk({ env: { DATABASE_TIMEOUT_MS: '1000' } });
    await insertHammer(app);
    await whileRowIsLocked(app, async () => {
      const { body } = await app.http.put('/items/1').send(hammer).expect(503).expect('Retry-After', '1');
      expect(body).toMatchObject({ title: 'Service Unavailable', detail: 'The database does not answer.' });
    });
    await until(async () => (await app.http.put('/items/1').send(hammer)).status === 200);
  });

  it('is a 503 when no connection becomes free', async () => {
    app = await startBrisk({ env: { DATABASE_POOL_SIZE: '1', DATABASE_TIMEOUT_MS: '1000' } });
    const holder = app.dataSource.createQueryRunner();
    await until(() =>
      holder.connect().then(
        () => true,
        () => false,
      ),
    );
    await app.http.get('/items').expect(503).expect('Retry-After', '1');
    await holder.release();
    await until(async () => (await app.http.get('/items')).status === 200);
  });
});

it('searches that no index narrows down use a fifth of the pool, and the others wait', async () => {
  const env = { DATABASE_POOL_SIZE: '10', DATABASE_QUEUE_SIZE: '5', DATABASE_TIMEOUT_MS: '60000' };
  const app = await startApp({ env });
  const dataSource = await new DataSource({ type: 'postgres', url: app.databaseUrl }).initialize();
  try {
    await dataSource.query("INSERT INTO items (name, category, price, quantity) VALUES ('Hammer', 'tools', 1, 1)");
    const holder = dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query('LOCK TABLE items');
    const waitingForLock = async (): Promise<number> => {
      const locks = await holder.query("SELECT 1 FROM pg_locks WHERE relation = 'items'::regclass AND NOT granted");
      return locks.length;
    };
    const begun = jest.spyOn(app.app.get(ItemsReader), 'loadPage');
    const searches = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((q) => app.http.get(`/items?q=${q}`).then((res) => res));
    await until(() => begun.mock.calls.length === searches.length);
    await until(async () => (await waitingForLock()) === 2);
    await app.http.get('/items?q=h').expect(503).expect('Retry-After', '1');
    const indexed = app.http.get('/items?q=hammer').then((res) => res);
    await until(async () => (await waitingForLock()) === 3);
    await holder.rollbackTransaction();
    expect((await indexed).body.data).toHaveLength(1);
    expect((await Promise.all(searches)).map(({ status }) => status)).toEqual(searches.map(() => 200));
  } finally {
    await dataSource.destroy();
    await app.close();
  }
});

describe('a database that is gone', () => {
  let postgres: TestPostgres;
  let app: TestApp;
  beforeAll(async () => {
    postgres = await startPostgres();
    const { url } = await postgres.createDatabase();
    await migrateDatabase(url);
    app = await startBrisk({ database: url, env: { DATABASE_TIMEOUT_MS: '1000', REQUEST_TIMEOUT_MS: '5000' } });
    await insertHammer(app);
  });
  afterAll(async () => {
    await app.close();
    await postgres.stop();
  });

  const everything = () => [
    app.http.get('/items/1'),
    app.http.get('/items'),
    app.http.post('/items').send(hammer),
    app.http.put('/items/1').send(hammer),
    app.http.delete('/items/1'),
  ];

  it('makes every answer a 503 with Retry-After, within the deadline, and heals by itself', async () => {
    await postgres.kill();
    for (const request of everything()) await request.expect(503).expect('Retry-After', '1');
    await postgres.restart();
    await until(async () => (await app.http.get('/items/1')).status === 200);
    await until(async () => (await app.http.put('/items/1').send(hammer)).status === 200);
  });

  it('also when it is there but silent', async () => {
    postgres.pause();
    await Promise.all(everything().map((request) => request.expect(503).expect('Retry-After', '1')));
    postgres.resume();
    await until(async () => (await app.http.get('/items')).status === 200);
  });
});
