import { createRedisClient } from '../../src/cache/index.js';
import { late, Probe } from '../../src/health/probe.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { answeredMeanwhile } from '../support/stand-still.js';

let redis: TestRedis;
let client: ReturnType<typeof createRedisClient>;
beforeAll(async () => {
  redis = await startRedis();
  client = createRedisClient(redis.url, 20_000);
  await client.connect();
});
afterAll(async () => {
  redis.resume();
  await client.disconnect();
  await redis.stop();
});

/** Far shorter than this process stands still. */
const timeoutMs = 20;

it('a probe counts an answer that came while the process stood still', () =>
  answeredMeanwhile(() => new Probe(() => client.ping(), timeoutMs).answers()));

it('what has come by the deadline is before the deadline, also when the process was busy then', () => {
  const { signal } = new AbortController();
  return answeredMeanwhile(() => Promise.race([client.ping().then(() => true), late(timeoutMs, false, signal)]));
});

it('a probe of what hangs says no, and asks once however often it is asked', async () => {
  redis.pause();
  let asked = 0;
  const probe = new Probe(() => client.ping(String((asked += 1))), timeoutMs);
  expect(await Promise.all([probe.answers(), probe.answers(), probe.answers()])).toEqual([false, false, false]);
  expect(await probe.answers()).toBe(false);
  expect(asked).toBe(1);
  redis.resume();
});
