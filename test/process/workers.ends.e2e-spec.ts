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

describe('the process above several workers', () => {
  /** One service per test. Each takes some seconds to start, which no test is about: they do so side by side. */
  let services: Record<'twice' | 'killed' | 'refused', ServiceProcess>;
  let url: string;
  const other = createServer();

  beforeAll(async () => {
    await ServiceProcess.build();
    [database, redis] = await Promise.all([createMigratedDatabase(), sharedRedis()]);
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    services = {
      twice: run(),
      killed: run(),
      refused: run({ PORT: String((other.address() as AddressInfo).port) }),
    };
    [url] = await Promise.all([services.twice.ready(), services.killed.ready()]);
  }, buildLimitMs);

  afterAll(async () => {
    Object.values(services).forEach((service) => service.kill());
    other.close();
    await database.drop();
  });

  it('ends at once when it is told twice', async () => {
    const service = services.twice;
    const { answer } = await ServiceProcess.begin(url);
    service.signal('SIGTERM');
    await ServiceProcess.refused(url);
    service.signal('SIGTERM');
    expect(await service.ended()).toBe(1);
    expect(await answer).toBe('cut off');
    expect(service.workersLeft()).toEqual([]);
  });

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

  it('leaves no worker behind when it is killed', async () => {
    const service = services.killed;
    service.signal('SIGKILL');
    await service.ended();
    await until(() => service.workersLeft().length === 0);
  });

  it('says once that the service cannot start', async () => {
    const service = services.refused;
    expect(await service.ended()).toBe(1);
    expect(service.text().match(/is taken/g)).toHaveLength(1);
    expect(service.workersLeft()).toEqual([]);
  });
});
