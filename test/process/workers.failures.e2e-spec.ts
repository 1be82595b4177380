import { buildLimitMs, ServiceProcess } from '../support/service-process.js';
import { sharedRedis } from '../support/services.js';
import { createMigratedDatabase } from '../support/start-app.js';
import { until } from '../support/until.js';
import { ask, workersIn } from '../support/workers.js';

describe('several workers', () => {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let service: ServiceProcess;
  let url: string;

  beforeAll(async () => {
    await ServiceProcess.build();
    database = await createMigratedDatabase();
    const { url: redis } = await sharedRedis();
    service = new ServiceProcess({ DATABASE_URL: database.url, REDIS_URL: redis, WEB_CONCURRENCY: '2' });
    url = await service.ready();
  }, buildLimitMs);

  afterAll(async () => {
    service.kill();
    await database.drop();
  });

  it('replace one that is killed, answer meanwhile, and reset the connections that it had', async () => {
    const [victim] = service.workerPids();
    // It has taken what it was given so far.
    await until(async () => workersIn((await ask(`${url}/metrics`)).body).length === 2);
    process.kill(victim!, 'SIGSTOP');
    let answered = 0;
    // One of them is given to the victim, which does not take it.
    const outcomes = [1, 2, 3, 4].map(() =>
      ask(`${url}/health/live`).then(
        ({ status }) => (answered += 1) && status,
        ({ code }: NodeJS.ErrnoException) => code,
      ),
    );
    await until(() => answered === 3);
    process.kill(victim!, 'SIGKILL');
    expect((await Promise.all(outcomes)).sort()).toEqual([200, 200, 200, 'ECONNRESET']);
    await until(() => service.lines('error').some(({ msg }) => msg.includes('worker 1 has ended (SIGKILL)')));
    expect((await ask(`${url}/health/live`)).status).toBe(200);
    await until(async () => workersIn((await ask(`${url}/metrics`)).body).length === 2);
    expect(service.workerPids()).toHaveLength(3);
    expect(service.exitCode).toBeNull();
  });

  it('end with 0 once running requests are answered, even where everybody has been told', async () => {
    const running = await Promise.all([ServiceProcess.begin(url), ServiceProcess.begin(url)]);
    // As a terminal does, or a supervisor that ends a group.
    for (const pid of service.workersLeft()) process.kill(pid, 'SIGINT');
    service.signal('SIGINT');
    await ServiceProcess.refused(url);
    for (const { finish } of running) finish();
    expect(await Promise.all(running.map(({ answer }) => answer))).toEqual([201, 201]);
    expect(await service.ended()).toBe(0);
    expect(service.workersLeft()).toEqual([]);
  });
});
