import { once } from 'node:events';
import { createServer, ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { Heads } from '../../src/cache/api/lane/heads.js';
import { exchange } from '../support/lane.js';

const dated = `HTTP/1.1 200 OK\r\nDate: ${new Date(0).toUTCString()}\r\nContent-Length: 3\r\n`;

/** What a server answers to three requests on one connection, and how often Node has made the head itself. */
async function answersOf(head: string) {
  const heads = new Heads();
  const byNode = jest.spyOn(ServerResponse.prototype, 'writeHead');
  const server = createServer((_req, res) => {
    const ending = heads.endingFor(res);
    if (ending === undefined) {
      heads.make(res, 200, head);
      res.end('ok\u00e9', 'latin1');
    } else {
      heads.set(res, 200, `${head}${ending}ok\u00e9`);
      res.end();
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const text = await exchange(
    url,
    Array.from({ length: 3 }, () => 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  );
  const made = byNode.mock.calls.length;
  byNode.mockRestore();
  await new Promise((resolve) => server.close(resolve));
  return { answers: text.split(/(?=HTTP\/1\.1)/), made };
}

describe('the head of an answer', () => {
  it('is made by Node once, and says the same from then on', async () => {
    const { answers, made } = await answersOf(dated);
    expect(answers).toHaveLength(3);
    expect(answers[0]).toMatch(
      /^HTTP\/1\.1 200 OK\r\nDate: Thu, 01 Jan 1970 .*\r\nConnection: keep-alive\r\n.*\r\n\r\nok\u00e9$/s,
    );
    expect(new Set(answers).size).toBe(1);
    expect(made).toBe(1);
  });

  it('is made by Node each time where it says something that nobody knows', async () => {
    const { answers, made } = await answersOf(dated.replace(/Date: .*\r\n/, ''));
    expect(answers).toHaveLength(3);
    for (const answer of answers) expect(answer).toMatch(/\r\nDate: .*\r\nConnection: keep-alive\r\n/);
    expect(made).toBe(3);
  });
});
