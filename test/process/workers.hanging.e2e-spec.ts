import { buildLimitMs, ServiceProcess } from '../support/service-process.js';
import { sharedRedis } from '../support/services.js';
import { createMigratedDatabase } from '../support/start-app.js';

let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let service: ServiceProcess;

beforeAll(async () => {
  await ServiceProcess.build();
  database = await createMigratedDatabase();
  const { url: redis } = await sharedRedis();
  service = new ServiceProcess({
    ...{ DATABASE_URL: database.url, REDIS_URL: redis, WEB_CONCURRENCY: '2', DRAIN_TIMEOUT_MS: '0' },
  });
  await service.ready();
}, buildLimitMs);

afterAll(async () => {
  service.kill();
  await database.drop();
});

it('the process above several workers ends one that hangs past every deadline', async () => {
  process.kill(service.workerPids()[1]!, 'SIGSTOP');
  service.signal('SIGTERM');
  expect(await service.ended()).toBe(1);
  expect(service.workersLeft()).toEqual([]);
});
