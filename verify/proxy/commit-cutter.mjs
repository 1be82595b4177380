// @ts-check
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** @typedef {import('node:net').Socket} Socket */

/** A simple query of PostgreSQL's protocol: type, length, text, zero. */
const commit = Buffer.from('Q\0\0\0\x0bCOMMIT\0', 'latin1');

/**
 * A node's way to PostgreSQL. When it is told to, it lets a COMMIT through and loses the answer together with the
 * connection: the transaction has happened, and its writer will never know.
 */
export class CommitCutter {
  /** How likely a COMMIT is cut. */
  probability = 0;
  cuts = 0;
  /** @type {Set<Socket>} */
  #sockets = new Set();
  #server;

  /** @param {{ port: number, host: string }} target @param {() => number} chance uniform in [0, 1) */
  constructor(target, chance) {
    this.#server = createServer((client) => this.#accept(client, connect(target), chance));
  }

  /** @param {URL} url of the database @param {() => number} chance @returns {Promise<CommitCutter>} */
  static async to(url, chance) {
    const cutter = new CommitCutter({ port: Number(url.port || 5432), host: url.hostname }, chance);
    cutter.#server.listen(0, '127.0.0.1');
    await once(cutter.#server, 'listening');
    return cutter;
  }

  /** @param {URL} url @returns {string} the same database by way of this */
  through(url) {
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
    const own = new URL(url);
    own.host = `127.0.0.1:${port}`;
    return own.href;
  }

  async close() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** @param {Socket} client @param {Socket} server @param {() => number} chance */
  #accept(client, server, chance) {
    let cutting = false;
    client.on('data', (chunk) => {
      cutting ||= this.probability > 0 && chunk.includes(commit) && chance() < this.probability;
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      if (!cutting) return client.write(chunk);
      this.cuts += 1;
      client.resetAndDestroy();
      return server.destroy();
    });
    for (const [socket, other] of /** @type {const} */ ([
      [client, server],
      [server, client],
    ])) {
      this.#sockets.add(socket.setNoDelay(true));
      socket.on('end', () => other.end());
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        other.destroy();
        this.#sockets.delete(socket);
      });
    }
  }
}
