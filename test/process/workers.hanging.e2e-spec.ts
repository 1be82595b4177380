import { buildLimitMs, ServiceProcess } from '../support/service-process.js';
import { sharedRedis } from '../support/services.js';
import { createMigratedDatabase } from '../support/start-app.js';
import { eventually } from '../support/until.js';
import { ask, workersIn } from '../support/workers.js';

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

it('several workers do not make the metrics wait for one that hangs', async () => {
  const url = await service.ready();
  const [sleeper] = service.workerPids();
  process.kill(sleeper!, 'SIGSTOP');
  try {
    // One of the first two is given to the one that hangs, and waits for it. The other is answered while it hangs.
    await eventually(async () => {
      const { status, body } = await Promise.any([ask(`${url}/metrics`), ask(`${url}/metrics`)]);
      expect([status, workersIn(body)]).toEqual([200, ['2']]);
    });
  } finally {
    process.kill(sleeper!, 'SIGCONT');
  }
});

it('the process above several workers ends one that hangs past every deadline', async () => {
  process.kill(service.workerPids()[1]!, 'SIGSTOP');
  service.signal('SIGTERM');
  expect(await service.ended()).toBe(1);
  expect(service.workersLeft()).toEqual([]);
});
