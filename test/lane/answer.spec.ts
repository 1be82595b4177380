import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { Heads } from '../../src/cache/api/lane/heads.js';
import { RecordedAnswer } from '../../src/cache/api/lane/recorded-answer.js';
import { encodingPreference } from '../../src/http/answer/encodings.js';
import { DurationSeries } from '../../src/http/answer/answer-durations.js';
import { exchange } from '../support/lane.js';

const preference = encodingPreference(undefined);
const series = new DurationSeries({ route: '/', method: 'GET', status: 200 });
const durations = { GET: series, HEAD: series };

/** What comes back for these requests, all of them on one connection, pipelined. */
async function answersTo(methods: readonly ('GET' | 'HEAD')[], status: number, body: Buffer | undefined) {
  const fields: [string, string][] = [
    ['Vary', 'Accept-Encoding'],
    ['Date', new Date(0).toUTCString()],
    ['ETag', '"1"'],
    ...(body ? [['Content-Length', String(body.length)] as [string, string]] : []),
  ];
  const answer = new RecordedAnswer({ status, fields, body, etag: '"1"', preference, bornAtMs: 1e12, durations });
  const heads = new Heads();
  const server = createServer((req, res) => {
    answer.write(heads, res, req.method as 'GET', { wallMs: 1e12, ttlMs: 5_000, policy: 'strict' });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const text = await exchange(url, [methods.map((method) => `${method} / HTTP/1.1\r\nHost: x\r\n\r\n`).join('')]);
  await new Promise((resolve) => server.close(resolve));
  return text.split(/(?=HTTP\/1\.1 )/).map((one) => one.split('\r\n\r\n'));
}

describe('a recorded answer', () => {
  it.each([1, 13_999, 14_000, 14_001, 300_000])(
    'of %i bytes is given whole, and to HEAD without them',
    async (length) => {
      // Every byte there is, but for CR: an empty line is the end of the head.
      const body = Buffer.from(Array.from({ length }, (_, at) => (at * 7 + 97) % 256).map((byte) => (byte === 13 ? 14 : byte))); // prettier-ignore
      const methods = ['GET', 'GET', 'HEAD', 'GET', 'HEAD', 'GET'] as const;
      const answers = await answersTo(methods, 200, body);
      expect(answers).toHaveLength(methods.length);
      for (const [at, [head, sent]] of answers.entries()) {
        expect(head).toBe(answers[0]![0]);
        expect(head).toContain(`\r\nContent-Length: ${length}\r\n`);
        expect(sent === (methods[at] === 'GET' ? body.toString('latin1') : '')).toBe(true);
      }
    },
  );

  it('without a body has none', async () => {
    const answers = await answersTo(['GET', 'GET', 'HEAD', 'GET'], 304, undefined);
    expect(answers).toHaveLength(4);
    for (const answer of answers) expect(answer).toEqual([answers[0]![0], '']);
    expect(answers[0]![0]).toMatch(
      /^HTTP\/1\.1 304 Not Modified\r\nVary: .*\r\nAge: 0\r\nCache-Status: .*\r\nConnection: keep-alive/s,
    );
  });
});
