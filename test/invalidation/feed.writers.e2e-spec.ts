import { setTimeout as sleep } from 'node:timers/promises';
import { CacheEvents, RedisTags } from '../../src/cache/index.js';
import { FeedSlot } from '../../src/invalidation/feed/feed-slot.js';
import { Invalidator } from '../../src/invalidation/index.js';
import { type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';
import { item, nameOf, WrittenElsewhere } from '../support/written-elsewhere.js';

const elsewhere = new WrittenElsewhere();
const { cached, create, sql } = elsewhere;

describe.each(['leading', 'standby'] as const)('what writers of a node that is %s have fenced', (state) => {
  let leader: TestApp;
  let writing: TestApp;
  const sources: string[] = [];

  beforeAll(async () => {
    await elsewhere.start();
    [leader, writing] = [elsewhere.nodeThatIs('leading'), elsewhere.nodeThatIs(state)];
    for (const { app } of elsewhere.nodes) app.get(CacheEvents).on('invalidated', ({ source }) => sources.push(source));
  });
  beforeEach(() => sources.splice(0));
  afterAll(elsewhere.stop);

  const put = (id: number, name: string) => writing.http.put(`/items/${id}`).send(item(name, 'shared')).expect(200);
  /** What comes behind everything else. */
  const mark = async () => {
    await sql("INSERT INTO items (name, category, price, quantity) VALUES ('mark', 'mark', 1, 1)");
    await until(() => sources.includes('feed'));
    expect(sources.filter((source) => source === 'feed')).toHaveLength(1);
  };

  it('is not fenced again by the feed, however many of them share a list', async () => {
    let open = (): void => undefined;
    const writersAreDone = new Promise<void>((resolve) => (open = resolve));
    try {
      const ids = await Promise.all(['one', 'two', 'three', 'four'].map((name) => create(name, 'shared')));
      const slot = leader.app.get(FeedSlot);
      const look = slot.snapshot.bind(slot);
      jest.spyOn(slot, 'snapshot').mockImplementation(async () => {
        await writersAreDone;
        return look();
      });
      sources.splice(0);
      for (let round = 0; round < 10; round += 1) await Promise.all(ids.map((id) => put(id, `round ${round}`)));
      expect(sources).toEqual(Array.from({ length: 40 }, () => 'write'));
      open();
      await mark();
    } finally {
      open();
    }
  });

  if (state === 'leading')
    it('is waited for, and Redis is not asked about it', async () => {
      const id = await create('before', 'shared');
      await mark();
      sources.splice(0);
      const asked = jest.spyOn(leader.app.get(RedisTags), 'fenceMissed');
      const invalidator = leader.app.get(Invalidator);
      const fence = invalidator.fence.bind(invalidator);
      jest.spyOn(invalidator, 'fence').mockImplementationOnce((...change) => ({
        committed: () => sleep(300).then(() => fence(...change).committed()),
      }));
      await put(id, 'after');
      expect(sources).toEqual(['write']);
      await mark();
      expect(asked).toHaveBeenCalledTimes(1);
    });
});

it('a writer that died before it told anybody is seen all the same', async () => {
  await elsewhere.start();
  try {
    const id = await create('before');
    for (const [n, writer] of elsewhere.nodes.entries()) {
      await cached(`/items/${id}`);
      jest.spyOn(writer.app.get(Invalidator), 'fence').mockReturnValue({ committed: () => Promise.resolve(undefined) });
      await writer.http
        .put(`/items/${id}`)
        .send(item(`after ${n}`))
        .expect(200);
      for (const node of elsewhere.nodes) await until(async () => (await nameOf(node, id)) === `after ${n}`);
    }
  } finally {
    await elsewhere.stop();
  }
});
