import { Agent, request as httpRequest } from 'node:http';
import { type DataSource } from 'typeorm';
import { migrateDatabase, startApp, type TestApp } from './support/start-app.js';
import { startPostgres, type TestPostgres } from './support/services.js';
import { until } from './support/until.js';

const hammer = { name: 'Hammer', description: null, category: 'tools', price: 19.99, quantity: 3 };

/** Runs work while another transaction holds the lock of row 1. */
async function whileRowIsLocked(dataSource: DataSource, work: () => Promise<void>): Promise<void> {
  const holder = dataSource.createQueryRunner();
  await holder.startTransaction();
  await holder.query('SELECT 1 FROM items WHERE id = 1 FOR UPDATE');
  await work().finally(() => holder.rollbackTransaction().then(() => holder.release()));
}

describe('a request that takes too long', () => {
  let app: TestApp;
  afterEach(() => app.close());

  it('is a 503 at its deadline, and its connection can be used again', async () => {
    app = await startApp({ env: { REQUEST_TIMEOUT_MS: '2000', DATABASE_TIMEOUT_MS: '15000' } });
    await app.dataSource.query("INSERT INTO items (name, category, price, quantity) VALUES ('Hammer', 'tools', 1, 1)");
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
    await whileRowIsLocked(app.dataSource, async () => {
      expect(await send('PUT')).toEqual({ status: 503, retryAfter: '1', reused: false });
      expect(await send('GET')).toEqual({ status: 200, retryAfter: undefined, reused: true });
    });
    agent.destroy();
  });

  it('is a 503 when PostgreSQL ends its statement', async () => {
    app = await startApp({ env: { REQUEST_TIMEOUT_MS: '15000', DATABASE_TIMEOUT_MS: '1000' } });
    await app.http.post('/items').send(hammer).expect(201);
    await whileRowIsLocked(app.dataSource, async () => {
      const { body } = await app.http.put('/items/1').send(hammer).expect(503).expect('Retry-After', '1');
      expect(body).toMatchObject({ title: 'Service Unavailable', detail: 'The database does not answer.' });
    });
    await app.http.put('/items/1').send(hammer).expect(200);
  });

  it('is a 503 when no connection becomes free', async () => {
    app = await startApp({ env: { DATABASE_POOL_SIZE: '1', DATABASE_TIMEOUT_MS: '1000' } });
    await app.http.post('/items').send(hammer).expect(201);
    const holder = app.dataSource.createQueryRunner();
    await holder.connect();
    await app.http.get('/items').expect(503).expect('Retry-After', '1');
    await holder.release();
    await app.http.get('/items').expect(200);
  });
});

describe('a database that is gone', () => {
  let postgres: TestPostgres;
  let app: TestApp;
  beforeAll(async () => {
    postgres = await startPostgres();
    const { url } = await postgres.createDatabase();
    await migrateDatabase(url);
    app = await startApp({ database: url, env: { DATABASE_TIMEOUT_MS: '1000', REQUEST_TIMEOUT_MS: '5000' } });
    await app.http.post('/items').send(hammer).expect(201);
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
    await app.http.put('/items/1').send(hammer).expect(200);
  });

  it('also when it is there but silent', async () => {
    postgres.pause();
    await Promise.all(everything().map((request) => request.expect(503).expect('Retry-After', '1')));
    postgres.resume();
    await until(async () => (await app.http.get('/items')).status === 200);
  });
});
