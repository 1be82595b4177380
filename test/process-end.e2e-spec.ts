import { buildLimitMs, ServiceProcess } from './support/service-process.js';
import { inspectable, Inspector } from './support/inspector.mjs';
import { createMigratedDatabase } from './support/start-app.js';
import { freePort } from '../scripts/services/ports.mjs';
import { until } from './support/until.js';

let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let service: ServiceProcess;

beforeAll(async () => {
  await ServiceProcess.build();
  database = await createMigratedDatabase();
}, buildLimitMs);

afterAll(() => database.drop());
afterEach(() => service.kill());

function run(env: NodeJS.ProcessEnv = {}): void {
  service = new ServiceProcess({ DATABASE_URL: database.url, ...env });
}

async function start(env: NodeJS.ProcessEnv = {}): Promise<string> {
  run(env);
  return service.ready();
}

describe('an error that nobody caught', () => {
  it.each([
    ['thrown', `setTimeout(() => { throw new Error('boom thrown') })`],
    ['rejected', `void Promise.reject(new Error('boom rejected'))`],
  ])(
    'that is %s ends the process with 1, is logged as fatal, and lets running requests finish',
    async (how, expression) => {
      const url = await start({ NODE_OPTIONS: inspectable });
      const { answer, finish } = await ServiceProcess.begin(url);
      const inspector = await Inspector.of(service.log);
      await inspector.evaluate(expression);
      inspector.close();
      await until(() => service.lines('fatal').length > 0);
      await ServiceProcess.refused(url);
      expect(service.exitCode).toBeNull();
      finish();
      expect(await answer).toBe(201);
      expect(await service.ended()).toBe(1);
      expect(service.lines('fatal')).toEqual([expect.objectContaining({ msg: `boom ${how}`, context: 'Process' })]);
      expect(service.lines('fatal')[0]!.err!.stack).toContain('boom');
    },
  );
});

describe('SIGTERM', () => {
  it('ends the process with 0 once running requests are answered', async () => {
    const url = await start();
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
    run({ PORT: new URL(url).port, REDIS_URL: 'redis://127.0.0.1:1', ...warming });
    await until(() =>
      fetch(`${url}/health/ready`).then(
        ({ status }) => status === 503,
        () => false,
      ),
    );
    service.signal('SIGTERM');
    expect(await service.ended()).toBe(0);
    expect(service.text()).not.toContain('cannot start');
  });

  it('for the second time ends it at once', async () => {
    const url = await start();
    const { answer } = await ServiceProcess.begin(url);
    service.signal('SIGTERM');
    await ServiceProcess.refused(url);
    service.signal('SIGTERM');
    expect(await service.ended()).toBe(1);
    expect(await answer).toBe('cut off');
  });

  it('cuts off what is not done by the deadline', async () => {
    const { answer } = await ServiceProcess.begin(await start({ DRAIN_TIMEOUT_MS: '300' }));
    service.signal('SIGTERM');
    expect(await answer).toBe('cut off');
    expect(await service.ended()).toBe(0);
  });
});
