import { Redis } from 'ioredis';
import { Namespace } from '../../src/cache/index.js';
import { AdministeredNodes, hammer, post, put } from '../support/administered-nodes.js';
import { hear } from '../support/event-listener.js';
import { type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

const nodes = new AdministeredNodes();
const authorization = 'Bearer correct-horse-battery-staple';
const listenTo = async (app: TestApp) => {
  const listener = await hear(app, '/admin/events', { authorization });
  await until(() => listener.events().some(({ type }) => type === 'node'));
  return listener;
};
type Listener = Awaited<ReturnType<typeof hear>>;
const nameOf = (listener: Listener): string => listener.events().find(({ type }) => type === 'node').node;
const elsewhere = (listener: Listener) => listener.events().filter(({ type }) => type === 'elsewhere');
const told = (listener: Listener) => elsewhere(listener).flatMap(({ notices }) => notices);
describe('whoever watches one node', () => {
  it('hears what the other one sends and drops, with its name, and the time by which both tell the same', async () => {
    const [atA, atB] = [await listenTo(nodes.a), await listenTo(nodes.b)];
    expect(nameOf(atA)).not.toBe(nameOf(atB));
    const id = await nodes.createItem();
    // The subscription is made behind the first answer: what comes before it is not heard.
    await until(async () => {
      await nodes.b.http.put(`/items/${id}`).send(hammer).expect(200);
      return told(atA).length > 0;
    });
    await nodes.b.http
      .put(`/items/${id}`)
      .send({ ...hammer, category: 'moved' })
      .expect(200);
    const isMove = ({ tags = [] }: { tags?: string[] }) => tags.includes('items?category=moved');
    await until(() => told(atA).filter(isMove).length === 2);
    expect(elsewhere(atA).every(({ node }) => node === nameOf(atB))).toBe(true);
    const [there] = told(atA).filter((notice) => notice.type === 'dropped' && isMove(notice));
    const [here] = atA.events().filter((event) => event.type === 'dropped' && isMove(event));
    expect(there).toMatchObject({ tags: here.tags, sentAtMs: here.sentAtMs, seconds: expect.any(Number) });
    expect(told(atA)).toContainEqual(expect.objectContaining({ type: 'invalidated', source: 'write' }));
    // Nobody is told what it has said itself.
    expect(elsewhere(atB).some(({ node }) => node === nameOf(atB))).toBe(false);
    atA.leave();
    atB.leave();
  });

  it('hears of a clear on both', async () => {
    const listener = await listenTo(nodes.a);
    await until(async () => {
      await post(nodes.b, '/admin/cache/clear');
      return told(listener).some(({ type }) => type === 'cleared');
    });
    expect(listener.events()).toContainEqual({ type: 'cleared' });
    listener.leave();
  });

  it('hears of strict writes, which fence before their commit', async () => {
    // Where the clear is still under way, it is refused.
    await until(async () => (await put(nodes.a, '/admin/cache/policies/items', { policy: 'strict' })).status === 200);
    const listener = await listenTo(nodes.a);
    const id = await nodes.createItem();
    await until(() =>
      listener.events().some(({ type, tags }) => type === 'invalidated' && tags.includes(`items:${id}`)),
    );
    expect(listener.events().find(({ type }) => type === 'invalidated')).toMatchObject({ source: 'write' });
    listener.leave();
    await put(nodes.a, '/admin/cache/policies/items', { policy: 'write-through' }).expect(200);
  });

  it('costs the nodes next to nothing once nobody does', async () => {
    const redis = new Redis(nodes.redis.url);
    const channel = `strata:${nodes.a.app.get(Namespace).name}:notices`;
    const listening = async () => (await redis.pubsub('NUMSUB', channel))[1];
    await until(async () => (await listening()) === 0);
    const monitor = await redis.monitor();
    let published = 0;
    monitor.on('monitor', (_time: string, [name, to]: string[]) => {
      if (name?.toLowerCase() === 'publish' && to === channel) published += 1;
    });
    const beganMs = performance.now();
    for (let n = 0; n < 40 || published === 0; n += 1) await nodes.createItem();
    const seconds = (performance.now() - beganMs) / 1000;
    monitor.disconnect();
    redis.disconnect();
    // One short command a second and node.
    expect(published).toBeLessThanOrEqual(2 * Math.ceil(seconds));
  });
});
