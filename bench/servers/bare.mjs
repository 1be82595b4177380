// @ts-check
import { once } from 'node:events';
import { createServer } from 'node:http';
import { serveParent } from './start-server.mjs';

/** @typedef {{ status: number, headers: string[], body: string }} Answer */

/**
 * What answers cost with `node:http` as it is documented: it looks at nothing, and writes the same bytes each time, on a
 * port for each of them. One process gives them all, as the service does: Node's own code is slower in a process that
 * sends long answers, too.
 */
serveParent((/** @type {Answer[]} */ answers) => Promise.all(answers.map(listen)));

/** @param {Answer} answer */
async function listen({ status, headers, body }) {
  // The faster of the two ways: head and body of a short answer go out with one call as text, a long one's better as bytes.
  const content = body.length < 14_000 ? body : Buffer.from(body);
  const server = createServer((_req, res) => {
    res.writeHead(status, headers);
    if (status === 304) res.end();
    else res.end(content);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}
