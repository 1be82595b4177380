import { getQueueToken } from '@nestjs/bull';
import { type Queue } from 'bull';
import { type Test } from 'supertest';
import { startApp, type TestApp } from '../support/start-app.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { command } from '../support/site.js';
import { insist, until } from '../support/until.js';
import { adminEnv, insertItems, warmingOf } from '../support/warming.js';

describe('without an answer from Redis', () => {
  let redis: TestRedis;
  let app: TestApp;
  /** What a 503 says: the same answer at the deadline of the request would say something else. */
  const refusal = async (question: () => Test): Promise<string> => {
    const { headers, body } = await question().expect(503);
    expect(headers).toMatchObject({ 'retry-after': '1', 'content-type': 'application/problem+json' });
    return body.detail as string;
  };
  /** After the second that an answer is waited for; at once. */
  const [noAnswer, notThere] = ['The warming queue does not answer.', 'The warming queue is not available.'];
  beforeEach(async () => {
    redis = await startRedis();
    app = await startApp({ redis: redis.url, env: { ...adminEnv, REDIS_TIMEOUT_MS: '1000' } });
  });
  afterEach(async () => {
    redis.resume();
    await app.close();
    await redis.stop();
  });

  it('the routes answer 503 in time, and work again afterwards', async () => {
    const { post, get, remove, done } = warmingOf(app);
    await done({ strategy: 'all' });
    redis.pause();
    // While it hangs, hence in time.
    expect(await refusal(() => post({ strategy: 'recent' }))).toBe(noAnswer);
    expect([noAnswer, notThere]).toContain(await refusal(() => get('1')));
    redis.resume();
    await until(async () => (await get('1')).status === 200);
    await redis.kill();
    await until(async () => (await refusal(() => get('1'))) === notThere);
    expect(await refusal(() => post({ strategy: 'recent' }))).toBe(notThere);
    expect(await refusal(() => remove('1'))).toBe(notThere);
    await app.http.get('/items').expect(200);
    await redis.restart();
    await until(async () => (await post({ strategy: 'all', limit: 1 })).status === 202);
  });

  it('a job fails its attempt, does not hang, and is finished once there is one', async () => {
    await insertItems(app, 2_000);
    const { start, reaches, find } = warmingOf(app);
    const { id } = await start({ strategy: 'all' });
    await until(async () => (await find(id)).progress > 0);
    redis.pause();
    await app.http.get('/items/1').expect(200);
    redis.resume();
    const { warmed, alreadyCached, refused } = await reaches(id, 'completed');
    expect(warmed! + alreadyCached! + refused!).toBeGreaterThanOrEqual(2_000);
  });
});

describe('a node', () => {
  it('takes no jobs where its user may not wait for them, says so, and takes them once it may', async () => {
    const redis = await startRedis();
    const node = await startApp({ redis: redis.url, env: adminEnv });
    const health = async () => (await node.http.get('/health').expect(200)).body;
    await command(redis, 'ACL', 'SETUSER', 'default', '-brpoplpush');
    await until(async () => {
      const { status, details } = await health();
      return status === 'degraded' && /\+brpoplpush$/.test(details.queue.reason);
    });
    expect((await health()).details.redis).toEqual({ status: 'up' });
    await node.http.get('/items').expect(200);
    await command(redis, 'ACL', 'SETUSER', 'default', '+brpoplpush');
    await warmingOf(node).done({ strategy: 'all' });
    await until(async () => (await health()).status === 'ok');
    await node.close();
    await redis.stop();
  });

  it('starts without its Redis, and takes jobs as soon as it is there', async () => {
    const redis = await startRedis();
    await redis.kill();
    const env = { ...adminEnv, WARM_SCHEDULE: '0 0 1 1 *' };
    const app = await startApp({ redis: redis.url, redisIsAway: true, env });
    const queue = app.app.get<Queue>(getQueueToken('warming'));
    const { post, done } = warmingOf(app);
    await post({ strategy: 'all' }).expect(503);
    await redis.restart();
    await until(async () => (await post({ strategy: 'all', limit: 1 })).status === 202);
    await done({ strategy: 'all', limit: 2 });
    await until(async () => (await insist(() => queue.getRepeatableCount())) === 1);
    await app.close();
    await redis.stop();
  });

  it('without any Redis has the same routes, which say that they cannot', async () => {
    const app = await startApp({ env: adminEnv });
    const { post, get, remove } = warmingOf(app);
    for (const question of [() => post({ strategy: 'all' }), () => get('1'), () => remove('1')])
      await question().expect(503).expect('Retry-After', '1');
    await post({ strategy: 'none' }).expect(400);
    await app.close();
  });
});
