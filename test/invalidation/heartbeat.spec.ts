import { createRedisClient, RedisFaults } from '../../src/cache/index.js';
import { Acknowledgements } from '../../src/invalidation/bus/acknowledgements.js';
import { endOf, within } from '../../src/invalidation/bus/connection-life.js';
import { Heartbeat } from '../../src/invalidation/bus/heartbeat.js';
import { NodeLeases } from '../../src/invalidation/bus/node-leases.js';
import { InvalidationBus } from '../../src/invalidation/bus/invalidation-bus.js';
import { ProtocolBench } from '../support/protocol-bench.js';
import { answeredMeanwhile } from '../support/stand-still.js';
import { until } from '../support/until.js';

const bench = new ProtocolBench({ CACHE_L1_STRICT: 'acknowledged' });

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A bus whose node is registered. */
function busWith(OwnHeartbeat: typeof Heartbeat): InvalidationBus {
  const { settings, tags, clock, lease, l1, connection, namespace, events, dataSource } = bench.node;
  const leases = Object.assign(new NodeLeases(settings, dataSource, lease, clock), {
    register: () => Promise.resolve(),
  });
  Object.defineProperty(leases, 'registered', { value: true });
  const acks = new Acknowledgements(settings, tags, clock);
  const heartbeat = new OwnHeartbeat(settings, tags, acks);
  const faults = new RedisFaults();
  return new InvalidationBus(
    settings,
    clock,
    l1,
    lease,
    connection,
    faults,
    namespace,
    heartbeat,
    acks,
    leases,
    events,
  );
}

it('a heartbeat is answered by its own answer, not by a late one to an earlier question', async () => {
  const { settings, tags, clock } = bench.node;
  const heartbeat = new Heartbeat(settings, tags, new Acknowledgements(settings, tags, clock));
  const answered: string[] = [];
  const sent = jest.spyOn(tags, 'beat');
  /** Resolves once Redis has the question; its answer is the test's to give. */
  const ask = async (name: string) => {
    const asked = heartbeat.ask().then(() => answered.push(name));
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
  const { clock, lease } = bench.node;
  class SlowHeartbeat extends Heartbeat {
    override async ask(): Promise<boolean> {
      const answered = await super.ask();
      clock.advance(600);
      return answered;
    }
  }
  const bus = busWith(SlowHeartbeat);
  await bus.onApplicationBootstrap();
  // Its first attempt is waited for; on a busy machine it may take another one.
  await until(() => lease.valid);
  const valid = [1_000 - 600 - 1, 1].map((ms) => {
    clock.advance(ms);
    return lease.valid;
  });
  await bus.onApplicationShutdown();
  expect(valid).toEqual([true, false]);
});

it('a heartbeat without a generation is followed by one as soon as there is a generation', async () => {
  const { lease, connection } = bench.node;
  let open = (): void => undefined;
  const opened = new Promise<boolean>((resolve) => (open = () => resolve(true)));
  const waiting = jest.spyOn(connection, 'untilOpen').mockReturnValueOnce(opened);
  let asked = 0;
  class EarlyHeartbeat extends Heartbeat {
    override async ask(): Promise<boolean> {
      asked += 1;
      return asked > 1 && super.ask();
    }
  }
  const bus = busWith(EarlyHeartbeat);
  try {
    await bus.onApplicationBootstrap();
    await until(() => waiting.mock.calls.length > 0);
    expect([asked, lease.valid]).toEqual([1, false]);
    open();
    await until(() => lease.valid);
  } finally {
    await bus.onApplicationShutdown();
    waiting.mockRestore();
  }
});
