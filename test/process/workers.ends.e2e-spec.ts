import { buildLimitMs, ServiceProcess } from '../support/service-process.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { createMigratedDatabase } from '../support/start-app.js';
import { until } from '../support/until.js';

let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let redis: SharedRedis;

const run = (): ServiceProcess =>
  new ServiceProcess({ DATABASE_URL: database.url, REDIS_URL: redis.url, WEB_CONCURRENCY: '2' });

describe('the process above several workers', () => {
  /** One service per test. Each takes some seconds to start, which no test is about: they do so side by side. */
  let services: Record<'twice' | 'killed', ServiceProcess>;
  let url: string;

  beforeAll(async () => {
    await ServiceProcess.build();
    [database, redis] = await Promise.all([createMigratedDatabase(), sharedRedis()]);
    services = { twice: run(), killed: run() };
    [url] = await Promise.all([services.twice.ready(), services.killed.ready()]);
  }, buildLimitMs);

  afterAll(async () => {
    Object.values(services).forEach((service) => service.kill());
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

  it('leaves no worker behind when it is killed', async () => {
    const service = services.killed;
    service.signal('SIGKILL');
    await service.ended();
    await until(() => service.workersLeft().length === 0);
  });
});
