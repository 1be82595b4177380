import { get, type IncomingHttpHeaders } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { encodingPreference } from '../../src/http/index.js';
import { Representations } from '../../src/cache/index.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As it came: nothing is decompressed on the way. */
  readonly bytes: Buffer;
}

let redis: SharedRedis;
let node: TestApp;
const item = { name: 'Hammer', description: 'A long handle. '.repeat(100), category: 'tools', price: 1, quantity: 1 };

beforeAll(async () => {
  redis = await sharedRedis();
  node = await startApp({ redis: redis.url });
  for (let n = 0; n < 4; n += 1) await node.http.post('/items').send(item).expect(201);
});

afterAll(async () => {
  await node.close();
});

function ask(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(`${node.url}${path}`, { method, headers, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () => resolve({ status: res.statusCode!, headers: res.headers, bytes: Buffer.concat(chunks) }));
    });
    request.on('error', reject);
  });
}

/** The answer once nothing is left to be made for this client. */
async function settled(path: string, encoding: string): Promise<Answer> {
  for (let n = 0; n < 3; n += 1) {
    await ask(path, { 'Accept-Encoding': encoding });
    await node.app.get(Representations).idle();
  }
  return ask(path, { 'Accept-Encoding': encoding });
}

const decoders: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gunzipSync(bytes),
  br: (bytes) => brotliDecompressSync(bytes),
};

describe('a list', () => {
  it('has the same bytes in every encoding, and a strong tag of its own in each', async () => {
    const plain = await ask('/items');
    const tags = new Set([plain.headers.etag]);
    for (const encoding of ['gzip', 'br']) {
      const { headers, bytes } = await settled('/items', encoding);
      expect(headers).toMatchObject({
        'content-encoding': encoding,
        'content-length': String(bytes.length),
        'content-type': plain.headers['content-type'],
        vary: 'Accept-Encoding',
      });
      expect(decoders[encoding]!(bytes).equals(plain.bytes)).toBe(true);
      expect(bytes.length).toBeLessThan(plain.bytes.length / 2);
      expect(headers.etag).toMatch(/^"[^"]+"$/);
      tags.add(headers.etag);
      expect((await ask('/items', { 'Accept-Encoding': encoding }, 'HEAD')).headers).toMatchObject({
        etag: headers.etag,
        'content-encoding': encoding,
        'content-length': String(bytes.length),
      });
    }
    expect(tags.size).toBe(3);
    expect(plain.headers).toMatchObject({ vary: 'Accept-Encoding' });
    expect(plain.headers).not.toHaveProperty('content-encoding');
  });

  it('is not sent to a client that has this very encoding of it, and is to one that has another', async () => {
    const gzip = (await settled('/items', 'gzip')).headers.etag!;
    const plain = (await ask('/items')).headers.etag!;
    const known = await ask('/items', { 'Accept-Encoding': 'gzip', 'If-None-Match': gzip });
    expect([known.status, known.headers.etag, known.headers.vary]).toEqual([304, gzip, 'Accept-Encoding']);
    expect(known.headers).not.toHaveProperty('content-encoding');
    expect((await ask('/items', { 'Accept-Encoding': 'gzip', 'If-None-Match': plain })).status).toBe(200);
    expect((await ask('/items', { 'If-None-Match': gzip })).status).toBe(200);
    const both = await ask('/items', { 'Accept-Encoding': 'gzip', 'If-None-Match': `${plain}, ${gzip}` });
    expect(both.status).toBe(304);
  });

  it('is given as it is while its variant is being made, and by every level once it is', async () => {
    await node.http.put('/items/1').send(item).expect(200);
    const first = await ask('/items', { 'Accept-Encoding': 'br' });
    expect(first.headers).not.toHaveProperty('content-encoding');
    expect((await settled('/items', 'br')).headers['content-encoding']).toBe('br');
    const renewed = await ask('/items', { 'Accept-Encoding': 'br', 'Cache-Control': 'no-cache' });
    expect(renewed.headers['cache-status']).toContain('fwd=request');
    expect(renewed.headers['content-encoding']).toBe('br');
  });

  it('is compressed once, however many ask', async () => {
    await node.http.put('/items/1').send(item).expect(200);
    const variants = node.app.get(Representations);
    await ask('/items');
    const made = variants.made;
    await Promise.all(Array.from({ length: 8 }, () => ask('/items', { 'Accept-Encoding': 'gzip' })));
    await settled('/items', 'gzip');
    expect(variants.made).toBe(made + 1);
  });
});

describe('a short answer', () => {
  it('is never compressed, and has one tag on GET, HEAD, POST and PUT', async () => {
    const short = { ...item, description: 'Short.' };
    const posted = await node.http.post('/items').send(short).expect(201);
    const path = posted.headers['location'] as string;
    const { headers } = await settled(path, 'gzip, br');
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers).toMatchObject({ vary: 'Accept-Encoding', etag: posted.headers['etag'] });
    const put = await node.http
      .put(path)
      .send({ ...short, price: 2 })
      .expect(200);
    expect((await settled(path, 'br')).headers.etag).toBe(put.headers['etag']);
  });
});

describe('a change', () => {
  it('may be made by whoever knows the version in any encoding', async () => {
    const long = { ...item, description: 'A long handle. '.repeat(133) };
    const path = (await node.http.post('/items').send(long).expect(201)).headers['location'] as string;
    const { headers } = await settled(path, 'br');
    expect(headers['content-encoding']).toBe('br');
    await node.http.put(path).set('If-Match', headers.etag!).send(long).expect(200);
    await node.http.put(path).set('If-Match', headers.etag!).send(long).expect(412);
  });
});

describe('Accept-Encoding', () => {
  it.each<[string | undefined, readonly string[]]>([
    [undefined, ['identity']],
    ['', ['identity']],
    ['gzip, deflate', ['gzip', 'identity']],
    ['x-gzip', ['gzip', 'identity']],
    ['br;q=0.5,X-GZIP;q=0.9, ax-gzip', ['gzip', 'br', 'identity']],
    ['gzip, deflate, br', ['br', 'gzip', 'identity']],
    ['br;q=0.5, gzip', ['gzip', 'br', 'identity']],
    ['identity, gzip;q=0.5', ['identity', 'gzip']],
    ['GZIP;Q=1', ['gzip', 'identity']],
    ['*', ['br', 'gzip', 'identity']],
    ['*;q=0.5, gzip;q=0', ['br', 'identity']],
    ['br;q=0, gzip;q=0', ['identity']],
    ['identity;q=0', []],
  ])('%p is understood with its q-values', (header, order) => {
    expect(encodingPreference(header).order).toEqual(order);
    expect(encodingPreference(header)).toBe(encodingPreference(header));
  });

  it('of any text is one of few preferences', () => {
    const headers = Array.from({ length: 2_000 }, (_, n) => `gzip;q=0.${n}, br;q=0.${(n * 7) % 2_000}`);
    expect(new Set(headers.map((header) => encodingPreference(header))).size).toBeLessThan(16);
  });

  it('that refuses everything still gets an answer', async () => {
    const { status, headers } = await ask('/items', { 'Accept-Encoding': 'identity;q=0, *;q=0' });
    expect([status, headers['content-encoding']]).toEqual([200, undefined]);
  });
});
