import { getQueueToken } from '@nestjs/bull';
import { Inject, Module, type OnModuleInit } from '@nestjs/common';
import { type Job, type Queue } from 'bull';
import { Redis } from 'ioredis';
import { CacheEvents } from '../../src/cache/index.js';
import { Lifecycle } from '../../src/http/index.js';
import { Warmers } from '../../src/warming/index.js';
import { tickName } from '../../src/warming/job.js';
import { WarmingSchedule } from '../../src/warming/schedule.js';
import { cacheStatus } from '../support/cache-status.js';
import { MovableClock, withClock } from '../support/clocks.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { createMigratedDatabase, startApp, type StartAppOptions, type TestApp } from '../support/start-app.js';
import { insist, until } from '../support/until.js';
import { adminEnv, GatedWarmer, insertItems, warmingOf } from '../support/warming.js';

const gatedWarmer = new GatedWarmer(3);

/** A second entity that is there before the boot warming is. */
@Module({})
class GatedModule implements OnModuleInit {
  constructor(@Inject(Warmers) private readonly warmers: Warmers) {}

  onModuleInit(): void {
    this.warmers.add(gatedWarmer);
  }
}

let redis: TestRedis;
let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
const running: TestApp[] = [];

async function startNode(env: Record<string, string>, options: StartAppOptions = {}): Promise<TestApp> {
  const node = await startApp({ ...options, redis: redis.url, database: database.url, env: { ...adminEnv, ...env } });
  running.push(node);
  return node;
}

const queueOf = ({ app }: TestApp) => app.get<Queue>(getQueueToken('warming'));
const schedulesOf = async (node: TestApp) =>
  (await insist(() => queueOf(node).getRepeatableJobs())).map(({ cron }) => cron);
/** Bull keeps a schedule first, and the job that is due next a moment later. */
const isScheduled = async (node: TestApp, ...crons: string[]) =>
  (await schedulesOf(node)).join() === crons.join() &&
  (await insist(() => queueOf(node).getDelayedCount())) === crons.length;

beforeEach(async () => {
  redis = await startRedis();
  database = await createMigratedDatabase();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.close()));
  await database.drop();
  await redis.stop();
});

describe('the schedule', () => {
  it('is one for all nodes', async () => {
    const nodes = [await startNode({ WARM_SCHEDULE: '0 4 * * *' }), await startNode({ WARM_SCHEDULE: '0 4 * * *' })];
    for (const { app } of nodes) await app.get(WarmingSchedule).ensure();
    for (const node of nodes) await until(() => isScheduled(node, '0 4 * * *'));
  });

  it('that is changed replaces the earlier one, and off removes it', async () => {
    const first = await startNode({ WARM_SCHEDULE: '0 4 * * *' });
    await until(() => isScheduled(first, '0 4 * * *'));
    await startNode({ WARM_SCHEDULE: '0 5 * * *' });
    await until(() => isScheduled(first, '0 5 * * *'));
    await startNode({ WARM_SCHEDULE: 'off' });
    await until(() => isScheduled(first));
  });

  it('warms what is recent when it is due, once in the cluster', async () => {
    const env = { WARM_SCHEDULE: '* * * * * *' };
    const node = await startNode(env);
    const ended: string[] = [];
    const dueAt: string[] = [];
    await insertItems(node, 3);
    for (const each of [node, await startNode(env)]) {
      each.app.get(CacheEvents).on('warmed', ({ result }) => ended.push(result));
      queueOf(each).on(
        'completed',
        ({ name, id }: Job) => name === tickName && dueAt.push(String(id).split(':').at(-1)!),
      );
    }
    await until(() => ended.length > 2 && dueAt.length > 2);
    expect(new Set(ended)).toEqual(new Set(['completed']));
    // On both nodes together, each second once.
    expect(dueAt.map((ms) => Number(ms) % 1_000)).toEqual(dueAt.map(() => 0));
    expect(new Set(dueAt).size).toBe(dueAt.length);
  });
});

describe('at boot', () => {
  it('what is asked for is warm before the node is ready', async () => {
    await insertItems(await startNode({}), 300);
    const node = await startNode({ WARM_AT_BOOT: 'all' });
    expect(cacheStatus(await node.http.get('/items/300')).db).toContain('hit; detail=l2');
  });

  /** Starts a node that warms until its time is over, which it is when the clock says so. */
  async function startLate(options: StartAppOptions = {}) {
    const clock = new MovableClock();
    const late = { isReady: false, lifecycle: undefined as Lifecycle | undefined };
    @Module({})
    class WatchModule {
      constructor(@Inject(Lifecycle) lifecycle: Lifecycle) {
        late.lifecycle = lifecycle;
      }
    }
    const imports = [...(options.imports ?? []), WatchModule];
    const env = { WARM_AT_BOOT: 'all', WARM_AT_BOOT_TIMEOUT_MS: '600000', DRAIN_TIMEOUT_MS: '200' };
    const starting = startNode(env, { ...options, imports, override: withClock(clock) }).finally(
      () => (late.isReady = true),
    );
    await until(() => late.lifecycle?.state === 'warming');
    return { clock, late, starting };
  }

  it('the node is not kept from being ready for longer than it may', async () => {
    const { clock, late, starting } = await startLate({ imports: [GatedModule] });
    await until(() => gatedWarmer.begun.length > 0);
    expect(late.isReady).toBe(false);
    clock.aheadMs = 600_000;
    const node = await starting;
    expect(node.app.get(Lifecycle).state).toBe('ready');
    gatedWarmer.open();
    const { find, reaches } = warmingOf(node);
    const [active] = await insist(() => queueOf(node).getJobs(['active', 'waiting', 'completed']));
    await reaches(String(active!.id), 'completed');
    expect((await find(String(active!.id))).progress).toBe(100);
  });

  it('a Redis that is not there delays nothing beyond that', async () => {
    await redis.kill();
    const { clock, late, starting } = await startLate({ redisIsAway: true });
    expect(late.isReady).toBe(false);
    clock.aheadMs = 600_000;
    await starting;
  });
});

describe('after a flush', () => {
  it('what is recent is warmed again, and the schedule is there again', async () => {
    const env = { WARM_AFTER_FLUSH: 'recent', WARM_SCHEDULE: '0 4 * * *' };
    const [node, other] = [await startNode(env), await startNode(env)];
    await insertItems(node, 10);
    await until(async () => (await schedulesOf(node)).length === 1);
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
    // Noticed by the first command that the shared level refuses.
    for (const { http } of [node, other]) await http.get('/items/1').expect(200);
    const queue = queueOf(node);
    await until(async () => (await insist(() => queue.getCompletedCount())) > 0);
    expect((await insist(() => queue.getCompleted())).map(({ data }) => data.request)).toEqual([
      { entity: 'items', strategy: 'recent', limit: 1_000 },
    ]);
    expect(await schedulesOf(node)).toEqual(['0 4 * * *']);
  });
});
