import { buildLimitMs, ServiceProcess } from '../support/service-process.js';
import { inspectable, Inspector } from '../support/inspector.mjs';
import { createMigratedDatabase } from '../support/start-app.js';
import { until } from '../support/until.js';

let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
/** One process per test. They start at the same time: each takes some seconds, which no test is about. */
let services: Record<'thrown' | 'rejected', ServiceProcess>;

beforeAll(async () => {
  await ServiceProcess.build();
  database = await createMigratedDatabase();
  const start = () => new ServiceProcess({ DATABASE_URL: database.url, NODE_OPTIONS: inspectable });
  services = { thrown: start(), rejected: start() };
  await Promise.all(Object.values(services).map((service) => service.ready()));
}, buildLimitMs);

afterAll(async () => {
  for (const service of Object.values(services)) service.kill();
  await database.drop();
});

describe('an uncaught error', () => {
  it.each([
    ['thrown' as const, `setTimeout(() => { throw new Error('boom thrown') })`],
    ['rejected' as const, `void Promise.reject(new Error('boom rejected'))`],
  ])(
    'that is %s ends the process with 1, is logged as fatal, and lets running requests finish',
    async (how, expression) => {
      const service = services[how];
      const url = await service.ready();
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
