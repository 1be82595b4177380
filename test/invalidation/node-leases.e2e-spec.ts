import { DataSource } from 'typeorm';
import { Lease, RedisConnection } from '../../src/cache/index.js';
import { NodeLeases } from '../../src/invalidation/bus/node-leases.js';
import { leaseMs, lockWaits, put, SwitchedNodes } from '../support/switched-nodes.js';
import { until } from '../support/until.js';

const nodes = new SwitchedNodes();
const { start } = nodes;

describe('nodes with unequal leases', () => {
  const acknowledged = { CACHE_POLICY: 'strict', CACHE_L1_STRICT: 'acknowledged' };
  const longMs = 800;
  const item = (name: string) => ({ name, category: 'strict', price: 1, quantity: 1 });

  it('a strict writer waits out the longest of them', async () => {
    const a = await start({ ...acknowledged, CACHE_L1_LEASE_MS: '100' });
    const b = await start({ ...acknowledged, CACHE_L1_LEASE_MS: String(longMs) });
    const path = `/items/${(await a.http.post('/items').send(item('v0')).expect(201)).body.id}`;
    await until(async () => /detail=l1/.test(String((await b.http.get(path)).headers['cache-status'])));
    // It holds the row in L1 and hears nothing any more; its acknowledgement will not come.
    const lease = b.app.get(Lease);
    b.app.get(RedisConnection).command = () => new Promise(() => undefined);
    const begunMs = performance.now();
    await a.http.put(path).send(item('v1')).expect(200);
    expect(performance.now() - begunMs).toBeGreaterThan(longMs);
    expect(lease.valid).toBe(false);
  });

  it('so does a generation that does not know its nodes yet', async () => {
    const a = await start({ ...acknowledged, CACHE_L1_LEASE_MS: '100' });
    await start({ ...acknowledged, CACHE_L1_LEASE_MS: String(longMs) });
    await a.app.get(RedisConnection).renewGeneration();
    const begunMs = performance.now();
    await a.http.post('/items').send(item('v0')).expect(201);
    expect(performance.now() - begunMs).toBeGreaterThan(longMs);
  });

  it('so does a switch, and a node that has ended counts no more', async () => {
    const a = await start();
    const b = await start({ CACHE_L1_LEASE_MS: String(longMs) });
    const begunMs = performance.now();
    await put(a, 'strict').expect(200);
    expect(performance.now() - begunMs).toBeGreaterThan(longMs);
    await nodes.close(b);
    expect(await a.app.get(NodeLeases).longestMs()).toBe(leaseMs);
  });

  it('a longer one begins behind the writers that do not know it', async () => {
    const a = await start();
    const writer = a.app.get(DataSource).createQueryRunner();
    await writer.startTransaction();
    const longer = start({ CACHE_L1_LEASE_MS: String(longMs), DATABASE_TIMEOUT_MS: '20000' });
    await until(() => lockWaits(a));
    expect(await a.app.get(NodeLeases).longestMs()).toBe(leaseMs);
    await writer.commitTransaction();
    await writer.release();
    await until(async () => (await a.app.get(NodeLeases).longestMs()) === longMs);
    await longer;
  });

  it('a node whose lease nobody knows serves nothing from its memory', async () => {
    jest.spyOn(NodeLeases.prototype, 'register').mockRejectedValue(new Error('the database does not answer'));
    const a = await start({}, { redisIsAway: true });
    expect(a.app.get(Lease).valid).toBe(false);
    jest.restoreAllMocks();
    await until(() => a.app.get(Lease).valid);
  });

  it('nor does a node that could not register its lease for too long', async () => {
    const a = await start();
    await until(() => a.app.get(Lease).valid);
    jest.spyOn(NodeLeases.prototype, 'registered', 'get').mockReturnValue(false);
    await until(() => !a.app.get(Lease).valid);
  });
});
