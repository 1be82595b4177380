import { RedisConnection } from '../../src/cache/index.js';
import { ChangeFeed } from '../../src/invalidation/index.js';
import { ChangeStream } from '../../src/invalidation/feed/change-stream.js';
import { FeedSlot } from '../../src/invalidation/feed/feed-slot.js';
import { FeedNodes, genOf } from '../support/feed-nodes.js';
import { type TestApp } from '../support/start-app.js';
import { eventually, until } from '../support/until.js';

const nodes = new FeedNodes();

it('another node reads on where the reader left off', async () => {
  const id = await nodes.create();
  const gone = nodes.reader!;
  nodes.all = nodes.all.filter((node) => node !== gone);
  await gone.close();
  await nodes.rename(id);
  await nodes.settled();
  await nodes.seen(id);
});

it('a reader whose connection is cut begins again, and what was changed meanwhile is seen', async () => {
  const id = await nodes.create();
  await nodes.sql('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active');
  await nodes.rename(id);
  await nodes.seen(id);
});

it('a node that ends while it looks for the feed does not begin to read it', async () => {
  const reader = nodes.reader!;
  const [other] = nodes.all.filter((node) => node !== reader);
  await other!.close();
  nodes.all = [];
  const slot = reader.app.get(FeedSlot);
  const look = slot.look.bind(slot);
  let goOn = (): void => undefined;
  const isClosing = new Promise<void>((resolve) => (goOn = resolve));
  let isFree = false;
  jest.spyOn(slot, 'look').mockImplementation(async () => {
    const seen = await look();
    isFree = seen.state === 'free';
    if (isFree) await isClosing;
    return seen;
  });
  await reader.dataSource.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active');
  await until(() => isFree);
  const feed = reader.app.get(ChangeFeed);
  const end = feed.onApplicationShutdown.bind(feed);
  jest.spyOn(feed, 'onApplicationShutdown').mockImplementation(() => {
    // Redis may be left sooner or later than that.
    jest.spyOn(reader.app.get(RedisConnection), 'state', 'get').mockReturnValue('closed');
    setImmediate(goOn);
    return end();
  });
  const read = jest.spyOn(ChangeStream.prototype, 'read');
  await reader.close();
  expect(read).not.toHaveBeenCalled();
  jest.restoreAllMocks();
});

it('what is changed while Redis is away is seen when it is back', async () => {
  await nodes.close();
  nodes.all = [await nodes.start({ REDIS_TIMEOUT_MS: '300' }), await nodes.start({ REDIS_TIMEOUT_MS: '300' })];
  await nodes.settled();
  const id = await nodes.create();
  nodes.redis.pause();
  await nodes.rename(id);
  // Health asks Redis on every node, and reads no item.
  const isLost = async (node: TestApp) => {
    await node.http.get('/health');
    return node.app.get(RedisConnection).state !== 'closed';
  };
  await Promise.all(nodes.all.map((node) => until(() => isLost(node))));
  nodes.redis.resume();
  await until(() => nodes.all.every((node) => node.app.get(RedisConnection).state === 'closed'));
  await nodes.seen(id);
});

it('a slot that is lost is made anew, and so is everything that is cached', async () => {
  const id = await nodes.create();
  const { gen } = nodes.all[0]!.app.get(RedisConnection);
  const { name: slot } = await nodes.all[0]!.app.get(FeedSlot).look();
  await until(async () => {
    await nodes.sql('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [slot]);
    return nodes.sql('SELECT pg_drop_replication_slot($1)', [slot]).then(
      () => true,
      () => false,
    );
  });
  await nodes.rename(id);
  await nodes.seen(id);
  for (const node of nodes.all) await until(() => ![undefined, gen].includes(genOf(node)));
  await nodes.settled();
  await nodes.cached(`/items/${id}`);
});

it('its lag is told by the node that reads, and by no other', async () => {
  // Another one reads where the machine stood still between the two questions.
  await eventually(async () => {
    const samples = await Promise.all(
      nodes.all.map(async (node) => /^cache_feed_lag_seconds (\S+)/m.exec((await node.http.get('/metrics')).text)?.[1]),
    );
    expect(samples.filter((sample) => sample !== undefined)).toHaveLength(1);
    expect(samples[nodes.all.indexOf(nodes.reader!)]).toBeDefined();
  });
});
