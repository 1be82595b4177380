import { cacheStatus } from '../support/cache-status.js';
import { createGadgets, Gadget, GadgetsModule } from '../support/gadgets.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { createMigratedDatabase, startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

let redis: SharedRedis;
let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let a: TestApp;
let b: TestApp;

beforeAll(async () => {
  [redis, database] = await Promise.all([sharedRedis(), createMigratedDatabase()]);
  const env = { ITEMS_CACHE_POLICY: 'strict' };
  const options = { redis: redis.url, database: database.url, imports: [GadgetsModule], env };
  a = await startApp(options);
  b = await startApp(options);
  await a.dataSource.query(createGadgets);
});

afterAll(async () => {
  await b.close();
  await a.close();
  await database.drop();
});

const save = (name: string, kind: string): Promise<Gadget> => {
  const { manager } = a.dataSource;
  return manager.save(manager.create(Gadget, { name, kind }));
};
const namesOf = async (kind: string, node = b): Promise<string[]> => {
  const { body } = await node.http.get(`/gadgets?kind=${kind}`).expect(200);
  return (body as Gadget[]).map(({ name }) => name);
};
const statusOf = async (path: string, node = b) => cacheStatus(await node.http.get(path).expect(200));

describe('a second entity, of one rule and one line in its module', () => {
  it('has its rows and its responses cached, on every node', async () => {
    const [{ id }] = await a.dataSource.query(
      "INSERT INTO gadgets (name, kind) VALUES ('Abacus', 'sums') RETURNING id",
    );
    const path = `/gadgets/${id}`;
    expect(await statusOf(path, a)).toEqual({
      db: 'fwd=uri-miss; stored; strata-policy=write-through',
      api: 'fwd=uri-miss; stored; strata-policy=write-through',
    });
    expect((await statusOf(path, a)).api).toMatch(/^hit; ttl=\d+; detail=l1/);
    expect((await statusOf(path)).api).toMatch(/^hit; ttl=\d+; detail=l2/);
    expect((await statusOf(path)).api).toMatch(/^hit; ttl=\d+; detail=l1/);
  });

  it('is seen changed through another node, and the next read is a hit of the written row', async () => {
    const gadget = await save('Astrolabe', 'sky');
    const path = `/gadgets/${gadget.id}`;
    expect((await b.http.get(path)).body).toEqual({ id: gadget.id, name: 'Astrolabe', kind: 'sky' });
    await a.dataSource.manager.save(Object.assign(gadget, { name: 'Sextant' }));
    const first = await a.http.get(path);
    expect(first.body).toEqual({ id: gadget.id, name: 'Sextant', kind: 'sky' });
    expect(cacheStatus(first).db).toMatch(/^hit; detail=l2/);
    await until(async () => (await b.http.get(path)).body.name === 'Sextant');
  });

  it('has its lists cached, and a write refreshes the list that a row leaves and the one it enters, no other', async () => {
    const gadget = await save('Barometer', 'weather');
    await save('Level', 'bench');
    for (const kind of ['weather', 'bench', 'kitchen']) await namesOf(kind);
    for (const kind of ['weather', 'bench', 'kitchen'])
      expect((await statusOf(`/gadgets?kind=${kind}`)).api).toMatch(/^hit/);

    await a.dataSource.manager.save(Object.assign(gadget, { kind: 'kitchen' }));
    await until(async () => (await namesOf('weather')).length === 0);
    expect(await namesOf('kitchen')).toEqual(['Barometer']);
    expect((await statusOf('/gadgets?kind=bench')).api).toMatch(/^hit/);
  });

  it('is not seen before its transaction commits, nor after one that rolls back', async () => {
    const gadget = await save('Compass', 'walks');
    const path = `/gadgets/${gadget.id}`;
    const nameOf = async () => (await b.http.get(path)).body.name as string;
    await nameOf();
    const work = a.dataSource.transaction(async (manager) => {
      await manager.save(Object.assign(gadget, { name: 'Dowsing rod' }));
      expect(await nameOf()).toBe('Compass');
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await nameOf()).toBe('Compass');
  });

  it('keeps rows known to be absent, until they are there', async () => {
    expect((await b.http.get('/gadgets/4242')).text).toBe('');
    expect((await statusOf('/gadgets/4242')).api).toMatch(/^hit/);
    await a.dataSource.manager.insert(Gadget, { id: 4242, name: 'Quadrant', kind: 'sky' });
    await until(async () => (await b.http.get('/gadgets/4242')).body?.name === 'Quadrant');
  });

  it('has a policy of its own, and leaves what is cached of other entities alone', async () => {
    const item = { name: 'Hammer', category: 'tools', price: 1, quantity: 1 };
    const { body } = await a.http.post('/items').send(item).expect(201);
    const gadget = await save('Drill', 'tools');
    await statusOf(`/items/${body.id}`);
    await a.dataSource.manager.save(Object.assign(gadget, { name: 'Auger' }));
    expect((await statusOf(`/items/${body.id}`)).api).toMatch(/^hit; .*strata-policy=strict$/);
    expect((await statusOf(`/gadgets/${gadget.id}`)).api).toMatch(/strata-policy=write-through$/);
  });
});
