import { buildLimitMs, ServiceProcess } from '../support/service-process.js';
import { createMigratedDatabase } from '../support/start-app.js';
import { freePort } from '../../scripts/services/ports.mjs';
import { until } from '../support/until.js';

let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
/** One process per test. They start at the same time: each takes some seconds, which no test is about. */
let services: Record<'ends' | 'twice' | 'late', ServiceProcess>;

beforeAll(async () => {
  await ServiceProcess.build();
  database = await createMigratedDatabase();
  const start = (env: NodeJS.ProcessEnv = {}) => new ServiceProcess({ DATABASE_URL: database.url, ...env });
  services = {
    ends: start(),
    twice: start(),
    late: start({ DRAIN_TIMEOUT_MS: '300' }),
  };
  await Promise.all(Object.values(services).map((service) => service.ready()));
}, buildLimitMs);

afterAll(async () => {
  for (const service of Object.values(services)) service.kill();
  await database.drop();
});

describe('SIGTERM', () => {
  it('ends the process with 0 once running requests are answered', async () => {
    const service = services.ends;
    const url = await service.ready();
    const { answer, finish } = await ServiceProcess.begin(url);
    service.signal('SIGTERM');
    await ServiceProcess.refused(url);
    finish();
    expect(await answer).toBe(201);
    expect(await service.ended()).toBe(0);
  });

  it('ends a process with 0 that is not ready yet, since it is warming', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    // Nobody answers there: the warming waits until its time is over, or it is told to end.
    const warming = { WARM_AT_BOOT: 'recent', WARM_AT_BOOT_TIMEOUT_MS: '600000' };
    const env = { PORT: new URL(url).port, REDIS_URL: 'redis://127.0.0.1:1', ...warming };
    const service = new ServiceProcess({ DATABASE_URL: database.url, ...env });
    await until(() =>
      fetch(`${url}/health/ready`).then(
        ({ status }) => status === 503,
        () => false,
      ),
    );
    service.signal('SIGTERM');
    expect(await service.ended()).toBe(0);
    expect(service.text()).not.toContain('cannot start');
    service.kill();
  });

  it('for the second time ends it at once', async () => {
    const service = services.twice;
    const url = await service.ready();
    const { answer } = await ServiceProcess.begin(url);
    service.signal('SIGTERM');
    await ServiceProcess.refused(url);
    service.signal('SIGTERM');
    expect(await service.ended()).toBe(1);
    expect(await answer).toBe('cut off');
  });

  it('cuts off what is not done by the deadline', async () => {
    const service = services.late;
    const { answer } = await ServiceProcess.begin(await service.ready());
    service.signal('SIGTERM');
    expect(await answer).toBe('cut off');
    expect(await service.ended()).toBe(0);
  });
});
