import { type LevelUnavailableError } from '../../src/cache/testing.js';
import { ProtocolBench, row } from '../support/protocol-bench.js';
import { answeredMeanwhile } from '../support/stand-still.js';
import { until } from '../support/until.js';

const bench = new ProtocolBench({ REDIS_TIMEOUT_MS: '100' });

let givenUp: string[] = [];
let stop: () => void;
beforeEach(async () => {
  await until(() => bench.node.connection.state === 'closed');
  givenUp = [];
  stop = bench.node.events.on('connection', ({ open, reason }) => !open && givenUp.push(reason ?? ''));
});
afterEach(() => stop());

/** What becomes of a read: only a level that has answered leaves a ticket. */
const isAnswered = async (): Promise<boolean> => (await bench.node.l2.read(row)).outcome !== 'bypass';

it('a process that stands still takes neither a command nor the connection for lost', async () => {
  const { connection } = bench.node;
  const ask = async (): Promise<boolean> => {
    try {
      return Array.isArray(await connection.run(connection.gen, 'verify', [], []));
    } catch {
      return false;
    }
  };
  // Before the command has left the process, and while its answer waits to be read.
  for (const sentAtOnce of [true, false])
    for (let times = 0; times < 4; times += 1) await answeredMeanwhile(ask, { sentAtOnce });
  expect(givenUp).toEqual([]);
});

it('a fence that Redis answers late is neither lost nor overtaken by a read, and the connection stays', async () => {
  await until(async () => {
    await until(() => bench.node.connection.state === 'closed');
    const writer = await bench.begin();
    await bench.fill(await bench.miss(), '"old"').catch(() => undefined);
    givenUp = [];
    bench.redis.pause();
    const fenced = bench.node.tags.fence([row.tag], writer).then(
      () => true,
      () => false,
    );
    // Its deadline, and hence the fence's, has passed.
    expect(await isAnswered()).toBe(false);
    bench.redis.resume();
    const body = await bench.bodyOf();
    // Where Redis took long to come back, the connection is given up all the same.
    if (!(await fenced)) return false;
    expect({ body, givenUp }).toEqual({ body: undefined, givenUp: [] });
    return true;
  });
});

it('a connection on which nothing comes is given up, and a fence with it', async () => {
  const writer = await bench.begin();
  bench.redis.pause();
  try {
    const refused: unknown = await bench.node.tags.fence([row.tag], writer).catch((error: unknown) => error);
    expect((refused as LevelUnavailableError).reason).toBe('redis');
    expect(givenUp).toEqual([expect.any(String)]);
  } finally {
    bench.redis.resume();
  }
});
