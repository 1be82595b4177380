import { plainRequest } from '../../src/cache/api/cache-request.js';
import { ResponseCache } from '../../src/cache/api/response-cache.js';
import { plainAnswer } from '../../src/cache/api/stored-response.js';
import { type Collector, collecting } from '../../src/cache/engine/scope.js';
import { CacheEvents, type Layer, loadProof, queryTags, ReadThrough } from '../../src/cache/index.js';
import { cacheStatus } from '../support/cache-status.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

let redis: SharedRedis;
let node: TestApp;
beforeAll(async () => {
  redis = await sharedRedis();
});
afterEach(() => node.close());

const proofOf = async (): Promise<string> => {
  const [{ proof }] = await node.dataSource.query<[{ proof: string }]>(`SELECT ${loadProof} AS proof`);
  return proof;
};

describe('a client that wants a fresh answer does not share one with a client that does not', () => {
  // Under strict nothing is in L1: both begin with a flight.
  beforeEach(async () => {
    node = await startApp({ redis: redis.url, env: { CACHE_POLICY: 'strict' } });
  });

  it('in the db layer', async () => {
    const reads = node.app.get(ReadThrough);
    let loads = 0;
    const read = () =>
      reads.query('items', 'a list', queryTags('items', {}), async () => {
        const proof = await proofOf();
        return { value: (loads += 1), proof };
      });
    expect([await read(), await read()]).toEqual([1, 1]);
    const renewing: Collector = {
      renew: true,
      watch: () => undefined,
      collect: () => undefined,
      readPast: () => undefined,
    };
    expect(await Promise.all([read(), collecting(renewing, read)])).toEqual([1, 2]);
  });

  it('in the api layer', async () => {
    const responses = node.app.get(ResponseCache);
    const { id } = (await node.http.post('/items').send({ name: 'a', category: 'b', price: 1, quantity: 1 })).body;
    let made = 0;
    const handler = async () => {
      made += 1;
      await node.app.get(ReadThrough).row('items', id, async () => ({ value: { id }, proof: await proofOf() }));
      return plainAnswer({ made });
    };
    const respond = async (renew: boolean) =>
      (await responses.respond(plainRequest('/a page', renew), handler)).response;
    await respond(false);
    expect((await respond(false))?.body).toBe(JSON.stringify({ made: 1 }));
    const [kept, fresh] = await Promise.all([respond(false), respond(true)]);
    expect([kept?.body, fresh?.body]).toEqual([{ made: 1 }, { made: 2 }].map((body) => JSON.stringify(body)));
  });
});

it.each<Layer>(['db', 'api'])('under strict the %s layer serves nothing past its freshness', async (layer) => {
  node = await startApp({
    redis: redis.url,
    env: {
      CACHE_POLICY: 'strict',
      CACHE_TTL_MS: '50',
      CACHE_TTL_JITTER: '0',
      CACHE_API: layer === 'api' ? 'on' : 'off',
    },
  });
  const { body } = await node.http.post('/items').send({ name: 'a', category: 'b', price: 1, quantity: 1 }).expect(201);
  const results: string[] = [];
  node.app.get(CacheEvents).on('request', (event) => event.layer === layer && results.push(event.result));
  const statuses: string[] = [];
  const count = (wanted: string) => results.filter((result) => result === wanted).length;
  await until(async () => {
    const status = cacheStatus(await node.http.get(`/items/${body.id}`).expect(200))[layer] ?? '';
    statuses.push(status);
    return count('miss') >= 3 && count('hit') >= 3;
  });
  expect(count('stale')).toBe(0);
  expect(statuses.filter((status) => status.includes('ttl=-'))).toEqual([]);
});
