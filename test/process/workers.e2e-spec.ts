import { Agent, get } from 'node:http';
import { type Counters } from '../../src/admin/dashboard/counters.js';
import { type CacheStatsView } from '../../src/admin/dto/cache-stats.js';
import { buildLimitMs, ServiceProcess } from '../support/service-process.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { createMigratedDatabase } from '../support/start-app.js';
import { eventually, until } from '../support/until.js';
import { adminToken } from '../support/warming.js';
import { ask, workersIn } from '../support/workers.js';

let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let redis: SharedRedis;

beforeAll(async () => {
  await ServiceProcess.build();
  [database, redis] = await Promise.all([createMigratedDatabase(), sharedRedis()]);
}, buildLimitMs);

afterAll(async () => {
  await database.drop();
});

/** How many requests each worker says it has answered, by its name. */
async function answersBy(url: string): Promise<Record<string, number>> {
  const { body } = await ask(`${url}/metrics`);
  const samples = body.matchAll(/^http_request_duration_seconds_count\{([^}]*route="\/items\/:id"[^}]*)\} (\d+)$/gm);
  return Object.fromEntries(
    [...samples].map(([, labels = '', count]) => [/worker="(\d+)"/.exec(labels)?.[1], Number(count)]),
  ) as Record<string, number>;
}

const post = (url: string) =>
  fetch(`${url}/items`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'Saw', category: 'saws', price: 1, quantity: 1 }),
  });

describe('several workers', () => {
  let service: ServiceProcess;
  let url: string;

  beforeAll(async () => {
    service = new ServiceProcess({
      ...{ DATABASE_URL: database.url, REDIS_URL: redis.url, WEB_CONCURRENCY: '2', ADMIN_TOKEN: adminToken },
    });
    url = await service.ready();
  }, buildLimitMs);

  afterAll(() => service.kill());

  it('share the work of one port, and tell their metrics as one', async () => {
    const item = `${url}${(await post(url)).headers.get('Location')}`;
    for (let count = 0; count < 10; count += 1) expect((await ask(item)).status).toBe(200);
    // A worker that does not answer within a second is not waited for.
    await eventually(async () => {
      const { 1: first = 0, 2: second = 0 } = await answersBy(url);
      expect(first + second).toBe(10);
      expect(Math.min(first, second)).toBeGreaterThan(0);
    });
    let body = '';
    await until(async () => workersIn(({ body } = await ask(`${url}/metrics`)).body).length === 2);
    const heads = body.split('\n').filter((line) => line.startsWith('# TYPE'));
    expect(new Set(heads).size).toBe(heads.length);
    const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(samples.filter((line) => !/\bworker="[12]"/.test(line))).toEqual([]);
    expect(new Set(samples.map((line) => line.slice(0, line.lastIndexOf(' ')))).size).toBe(samples.length);
    expect(body).toContain('process_start_time_seconds{worker="2"}');
    expect(service.text().match(/^ready url=/gm)).toHaveLength(1);
  });

  it('invalidate what the others have in memory', async () => {
    const item = `${url}${(await post(url)).headers.get('Location')}`;
    for (let count = 0; count < 6; count += 1) await ask(item);
    const body = JSON.stringify({ name: 'Bow saw', category: 'saws', price: 2, quantity: 1 });
    await fetch(item, { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body });
    await until(async () => {
      const seen = await Promise.all([1, 2, 3, 4].map(() => ask(item)));
      return seen.every(({ body: text }) => (JSON.parse(text) as { name: string }).name === 'Bow saw');
    });
  });

  it('are one in the statistics and on the dashboard, whichever of them is asked', async () => {
    const stats = async () => {
      const { body } = await ask(`${url}/admin/cache/stats`, { Authorization: `Bearer ${adminToken}` });
      return JSON.parse(body) as CacheStatsView;
    };
    /** The first event of a stream. */
    const counters = () =>
      new Promise<Counters>((resolve, reject) => {
        const request = get(`${url}/dashboard/events`, { agent: new Agent() }, (res) => {
          res.setEncoding('utf8').on('data', (chunk: string) => {
            const event = /^data: (.*)$/m.exec(chunk)?.[1];
            if (event === undefined) return;
            request.destroy();
            resolve(JSON.parse(event) as Counters);
          });
        }).once('error', reject);
      });
    // A worker that does not answer within a second is not waited for.
    await eventually(async () => {
      const seen = [await stats(), await stats(), await counters(), await counters()];
      expect(seen.map(({ workers }) => workers)).toEqual(seen.map(() => ['1', '2']));
      expect(new Set(seen.map(({ requests }) => JSON.stringify(requests))).size).toBe(1);
      expect(seen[0]!.requests.api.l1.hit).toBeGreaterThan(0);
      expect(seen[0]!.l1.maxBytes).toBe(2 * 67_108_864);
    });
  });

  it('do not make the metrics wait for one that hangs', async () => {
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
});
