import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { buildLimitMs, ServiceProcess } from '../support/service-process.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { createMigratedDatabase } from '../support/start-app.js';
import { until } from '../support/until.js';

let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let redis: SharedRedis;

const run = (env: NodeJS.ProcessEnv = {}): ServiceProcess =>
  new ServiceProcess({ DATABASE_URL: database.url, REDIS_URL: redis.url, WEB_CONCURRENCY: '2', ...env });

describe('the process above several workers that are starting', () => {
  beforeAll(async () => {
    await ServiceProcess.build();
    [database, redis] = await Promise.all([createMigratedDatabase(), sharedRedis()]);
  }, buildLimitMs);
  afterAll(() => database.drop());

  it('ends with 0 when a terminal interrupts it and a worker that is still starting', async () => {
    const service = run();
    try {
      await until(() => service.workersLeft().length > 0);
      for (const pid of service.workersLeft()) process.kill(pid, 'SIGINT');
      service.signal('SIGINT');
      expect(await service.ended()).toBe(0);
    } finally {
      service.kill();
    }
  });

  it('says once that the service cannot start', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const service = run({ PORT: String((other.address() as AddressInfo).port) });
    expect(await service.ended()).toBe(1);
    expect(service.text().match(/is taken/g)).toHaveLength(1);
    expect(service.workersLeft()).toEqual([]);
    other.close();
  });
});
