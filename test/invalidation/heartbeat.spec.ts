import { createRedisClient, type RedisClient } from '../../src/cache/index.js';
import { Acknowledgements } from '../../src/invalidation/bus/acknowledgements.js';
import { endOf, within } from '../../src/invalidation/bus/connection-life.js';
import { Heartbeat } from '../../src/invalidation/bus/heartbeat.js';
import { InvalidationBus } from '../../src/invalidation/bus/invalidation-bus.js';
import { ProtocolBench } from '../support/protocol-bench.js';
import { answeredMeanwhile } from '../support/stand-still.js';
import { until } from '../support/until.js';

const bench = new ProtocolBench({ CACHE_L1_STRICT: 'acknowledged' });

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('a heartbeat is answered by its own answer, not by a late one to an earlier question', async () => {
  const { settings, tags, clock } = bench.node;
  const heartbeat = new Heartbeat(settings, tags, new Acknowledgements(settings, tags, clock));
  const client = createRedisClient(bench.redis.url, 5_000);
  const answered: string[] = [];
  const sent = jest.spyOn(tags, 'beat');
  /** Resolves once Redis has the question; its answer is the test's to give. */
  const ask = async (name: string) => {
    const asked = heartbeat.ask(client).then(() => answered.push(name));
    await sent.mock.results.at(-1)!.value;
    return { asked };
  };
  await ask('first');
  const { asked: second } = await ask('second');
  heartbeat.hear(1);
  await turn();
  expect(answered).toEqual([]);
  heartbeat.hear(2);
  await second;
  expect(answered).toEqual(['second']);
});

it('an answer that came while the process stood still is in time, and one that does not come is not waited for', async () => {
  const client = createRedisClient(bench.redis.url, 5_000);
  const ended = endOf(client);
  await client.connect();
  await answeredMeanwhile(() =>
    within(20, client.ping(), ended).then(
      (text) => text === 'PONG',
      () => false,
    ),
  );
  bench.redis.pause();
  try {
    await expect(within(20, client.ping(), ended)).rejects.toThrow('no answer within 20 ms');
  } finally {
    bench.redis.resume();
    await client.disconnect();
  }
});

it('a lease counts from before its heartbeat was sent, however long the answer took', async () => {
  const { settings, tags, clock, lease, l1, connection, events } = bench.node;
  class SlowHeartbeat extends Heartbeat {
    override async ask(client: RedisClient): Promise<boolean> {
      const answered = await super.ask(client);
      clock.advance(600);
      return answered;
    }
  }
  const acknowledgements = new Acknowledgements(settings, tags, clock);
  const heartbeat = new SlowHeartbeat(settings, tags, acknowledgements);
  const bus = new InvalidationBus(settings, clock, l1, lease, connection, heartbeat, acknowledgements, events);
  await bus.onModuleInit();
  // Its first attempt is waited for; on a busy machine it may take another one.
  await until(() => lease.valid);
  const valid = [1_000 - 600 - 1, 1].map((ms) => {
    clock.advance(ms);
    return lease.valid;
  });
  await bus.onApplicationShutdown();
  expect(valid).toEqual([true, false]);
});
