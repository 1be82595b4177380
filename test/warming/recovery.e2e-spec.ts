import { getQueueToken } from '@nestjs/bull';
import { type Queue } from 'bull';
import { JobReleasedError } from '../../src/warming/warming.errors.js';
import { createMigratedDatabase, startApp, type TestApp } from '../support/start-app.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { Stopwatch } from '../support/stopwatch.js';
import { until } from '../support/until.js';
import { adminEnv, adminToken, GatedWarmer, type JobBody, warmingOf } from '../support/warming.js';

const job = { entity: 'gated', strategy: 'all' };
const queueOf = ({ app }: TestApp) => app.get<Queue & Record<'bclient', Queue['client']>>(getQueueToken('warming'));

describe('a warming job among several nodes', () => {
  let redis: TestRedis;
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  const running: TestApp[] = [];
  let watch: Stopwatch;
  const startNode = async (env: Record<string, string> = {}) => {
    const node = await startApp({ redis: redis.url, database: database.url, env: { ...adminEnv, ...env } });
    running.push(node);
    const gated = GatedWarmer.on(node, 6);
    let failures = 0;
    const isFailure = (error: Error) => !(error instanceof JobReleasedError);
    queueOf(node).on('failed', (_, error) => (failures += Number(isFailure(error))));
    /** Where Redis did not answer in time, or the process stood still until its lock was gone, batches are begun again. */
    const wentOn = (ended: JobBody, begun: readonly number[]): void => {
      const disturbed = failures > 0 || watch.longestStallMs > 1_000;
      if (disturbed) expect(new Set(gated.begun)).toEqual(new Set(begun));
      else expect([ended.attempts, gated.begun]).toEqual([0, begun]);
    };
    return { node, gated, wentOn };
  };
  beforeEach(async () => {
    watch = new Stopwatch();
    redis = await startRedis();
    database = await createMigratedDatabase();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((node) => node.close()));
    await database.drop();
    await redis.stop();
  });

  it('whose node dies is finished by another one, from where it was', async () => {
    const first = await startNode({ DRAIN_TIMEOUT_MS: '200' });
    const { id } = await warmingOf(first.node).start(job);
    for (const batch of [1, 2, 3]) {
      await until(() => first.gated.begun.length >= batch);
      if (batch < 3) first.gated.letThrough();
    }
    // As a kill does it: not a word more from this node, hence no lock.
    const { client, bclient } = queueOf(first.node);
    for (const connection of [client, bclient]) connection.disconnect();

    const second = await startNode();
    const { find, reaches } = warmingOf(second.node);
    // The lock may have run out already, and the other node have taken the job.
    await until(async () => (await find(id)).state === 'active');
    expect(await find(id)).toMatchObject({ progress: 33 });
    second.gated.open();
    const ended = await reaches(id, 'completed');
    expect(ended).toMatchObject({ progress: 100, warmed: 6 });
    second.wentOn(ended, [3, 4, 5, 6]);
    first.gated.open();
  });

  it('whose node shuts down goes back, and on at another one', async () => {
    const first = await startNode();
    const { id } = await warmingOf(first.node).start(job);
    await until(() => first.gated.begun.length === 1);
    const second = await startNode();
    second.gated.open();
    const closed = first.node.close();
    first.gated.letThrough();
    await closed;
    running.splice(running.indexOf(first.node), 1);
    const ended = await warmingOf(second.node).reaches(id, 'completed');
    expect(ended).toMatchObject({ warmed: 6 });
    second.wentOn(ended, [2, 3, 4, 5, 6]);
  });

  it('that loses what it has filled begins again, and its progress does not go back', async () => {
    const { node, gated, wentOn } = await startNode();
    const { start, find, reaches } = warmingOf(node);
    const { id } = await start(job);
    for (const batch of [1, 2, 3]) {
      await until(() => gated.begun.length >= batch);
      if (batch < 3) gated.letThrough();
    }
    await node.http.post('/admin/cache/clear').auth(adminToken, { type: 'bearer' });
    gated.letThrough();
    await until(() => gated.begun.length >= 4);
    expect((await find(id)).progress).toBe(50);
    gated.open();
    const ended = await reaches(id, 'completed');
    expect(ended).toMatchObject({ progress: 100, warmed: 6 });
    wentOn(ended, [1, 2, 3, 1, 2, 3, 4, 5, 6]);
  });

  it('that hangs does not keep its node from ending', async () => {
    const { node, gated } = await startNode({ DRAIN_TIMEOUT_MS: '200' });
    await warmingOf(node).start(job);
    await until(() => gated.begun.length === 1);
    // The batch ends only behind the node.
    await node.close();
    expect(gated.begun).toEqual([1]);
    running.splice(0);
    gated.open();
  });
});
