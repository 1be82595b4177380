// @ts-check
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Pipe } from './pipe.mjs';

/** @typedef {import('./pipe.mjs').Behaviour} Behaviour */
/** @typedef {import('node:net').Socket} Socket */
/** @typedef {'data' | 'bus'} Path commands, or the connection that hears invalidations */
/** @typedef {{ path: Path, client: Socket, server: Socket, up: Pipe, down: Pipe }} Connection */

/** @type {Behaviour} */
const healthy = { hang: false, delayMs: () => 0 };
/** How a connection shows that it is there to listen. */
const subscribes = /\r\nSUBSCRIBE\r\n/i;

/** One node's way to Redis: TCP on loopback, with faults per path. No privileges are needed. */
export class FaultProxy {
  /** @type {Set<Connection>} */
  #connections = new Set();
  /** @type {Record<Path, Behaviour>} */
  #behaviours = { data: healthy, bus: healthy };
  #server;
  #targetPort;

  /** @param {number} targetPort */
  constructor(targetPort) {
    this.#targetPort = targetPort;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** @param {number} targetPort @returns {Promise<FaultProxy>} */
  static async to(targetPort) {
    const proxy = new FaultProxy(targetPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port() {
    return /** @type {import('node:net').AddressInfo} */ (this.#server.address()).port;
  }

  /** How many connections there are of each path. */
  get connections() {
    const counts = { data: 0, bus: 0 };
    for (const { path } of this.#connections) counts[path] += 1;
    return counts;
  }

  /** Accepts everything, passes nothing on. @param {readonly Path[]} paths */
  hang(paths) {
    for (const path of paths) this.#behaviours[path] = { hang: true, delayMs: () => 0 };
  }

  /** @param {readonly Path[]} paths @param {() => number} delayMs of each chunk, either way */
  slow(paths, delayMs) {
    for (const path of paths) this.#behaviours[path] = { hang: false, delayMs };
  }

  /** What was held back is delivered now, or, with `reset`, lost together with its connections. */
  heal({ reset = false } = {}) {
    const hung = [...this.#connections].filter(({ path }) => this.#behaviours[path].hang);
    this.#behaviours = { data: healthy, bus: healthy };
    if (reset) for (const { client, server } of hung) for (const socket of [client, server]) socket.resetAndDestroy();
    for (const { up, down } of this.#connections) {
      up.pump();
      down.pump();
    }
  }

  async close() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const { client, server } of this.#connections) for (const socket of [client, server]) socket.destroy();
    await closed;
  }

  /** @param {Socket} client */
  #accept(client) {
    const server = connect(this.#targetPort, '127.0.0.1');
    const behaviour = () => this.#behaviours[connection.path];
    /** @type {Connection} */
    const connection = {
      path: 'data',
      client,
      server,
      up: new Pipe(server, behaviour),
      down: new Pipe(client, behaviour),
    };
    this.#connections.add(connection);
    client.on('data', (chunk) => {
      if (connection.path === 'data' && subscribes.test(chunk.toString('latin1'))) connection.path = 'bus';
      connection.up.push(chunk);
    });
    server.on('data', (chunk) => connection.down.push(chunk));
    client.on('end', () => connection.up.push(undefined));
    server.on('end', () => connection.down.push(undefined));
    // A client that gave up has sent what it has sent: it still arrives. A server that is gone takes its client along.
    client.on('error', () => connection.up.push(undefined));
    server.on('error', () => client.resetAndDestroy());
    server.on('close', () => {
      if (!client.writableEnded && !behaviour().hang) client.destroy();
      this.#connections.delete(connection);
    });
    for (const socket of [client, server]) socket.setNoDelay(true);
  }
}
