import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import fc from 'fast-check';
import { Representations } from '../../src/cache/index.js';
import { answerClientErrors, boundConnections } from '../../src/http/index.js';
import { LaneWatch } from '../support/lane.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { type Conversation, conversation, unkeyedField } from './requests.arbitrary.js';
import { converse, difference, tagsIn, timeless } from './wire.js';

const requests = Number(process.env['FUZZ_REQUESTS'] ?? 1_000);
/** The same in every `npm test`; `npm run fuzz` takes a new one each time. */
const seed = Number(process.env['FUZZ_SEED'] ?? 1);
/** On average. */
const requestsPerConversation = 2.2;
/** How often something is really written. */
const conversationsPerWrite = 40;

jest.setTimeout(Math.max(600_000, requests * 300));

let redis: SharedRedis;
let node: TestApp;
/** The same application, the same caches, on a server without the lane. */
let twin: Server;
let withLane: number;
let without: number;
const known = new Set<string>();

beforeAll(async () => {
  redis = await sharedRedis();
  node = await startApp({ redis: redis.url, env: { CACHE_TTL_MS: '3600000' } });
  twin = createServer(node.app.getHttpAdapter().getInstance() as RequestListener);
  answerClientErrors(twin);
  boundConnections(twin);
  await new Promise<void>((resolve) => twin.listen(0, '127.0.0.1', resolve));
  withLane = Number(new URL(node.url).port);
  without = (twin.address() as AddressInfo).port;
  for (let n = 1; n <= 12; n += 1) await write('post', '/items', n);
});

afterAll(async () => {
  twin.closeAllConnections();
  await new Promise((resolve) => twin.close(resolve));
  await node.close();
});

async function write(method: 'post' | 'put', path: string, n: number): Promise<void> {
  const item = { name: `Hämmer ${n}`, description: 'Ä long handle. '.repeat(30), category: n % 2 ? 'tools' : 'toys' };
  await node.http[method](path).send({ ...item, price: n, quantity: n });
}

async function both(talk: Conversation): Promise<readonly [string, string]> {
  const [lane, nest] = [await converse(withLane, talk), await converse(without, talk)];
  for (const tag of [...tagsIn(lane), ...tagsIn(nest)]) known.add(tag);
  return [timeless(lane), timeless(nest)];
}

/** A compressed variant that is made meanwhile is the one difference that goes away. */
async function settled(talk: Conversation): Promise<readonly [string, string]> {
  let answers = await both(talk);
  for (let again = 0; again < 3 && answers[0] !== answers[1]; again += 1) {
    await node.app.get(Representations).idle();
    answers = await both(talk);
  }
  return answers;
}

const text = (method: string, target: string, fields: readonly string[]) =>
  ({ method, text: [`${method} ${target} HTTP/1.1`, ...fields, '', ''].join('\r\n') }) as const;
const single = (target: string, fields: readonly string[]): Conversation => ({
  requests: [text('GET', target, fields)],
  ending: '',
  cuts: [],
});

describe('with the fast lane, every answer is what it is without', () => {
  it(`byte for byte, but for Age, Date and Cache-Status, whatever is asked (${requests} requests, seed ${seed})`, async () => {
    const lane = new LaneWatch(node);
    let count = 0;
    const property = fc.asyncProperty(
      conversation(() => [...known]),
      async (talk) => {
        count += 1;
        if (count % conversationsPerWrite === 0) await write('put', `/items/${1 + (count % 12)}`, count);
        expect(difference(...(await settled(talk)))).toBeUndefined();
      },
    );
    await fc.assert(property, { numRuns: Math.ceil(requests / requestsPerConversation), seed });
    // It was the lane that was tried.
    expect(lane.answers).toBeGreaterThan(requests / 20);
  });

  it('and fields that no key is made of change no answer that is shared', async () => {
    const targets = ['/items/1', '/items?limit=3', '/items'];
    const property = fc.asyncProperty(
      fc.constantFrom(...targets),
      fc.constantFrom('x', 'evil.example', 'evil.example:80', '[::1]'),
      fc.array(unkeyedField, { maxLength: 5 }),
      async (target, host, fields) => {
        const plain = timeless(await converse(withLane, single(target, ['Host: x'])));
        const soup = single(target, [`Host: ${host}`, ...fields]);
        expect(timeless(await converse(withLane, soup))).toBe(plain);
        expect(timeless(await converse(withLane, single(target, ['Host: x'])))).toBe(plain);
      },
    );
    await fc.assert(property, { numRuns: Math.ceil(requests / 30), seed });
  });
});
