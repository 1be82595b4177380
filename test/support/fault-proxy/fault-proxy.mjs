// @ts-check
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Connection } from './connection.mjs';

/** @typedef {import('./connection.mjs').Direction} Direction */
/** @typedef {import('./connection.mjs').Path} Path */
/** @typedef {import('./connection.mjs').Watch} Watch */
/** @typedef {import('./pipe.mjs').Behaviour} Behaviour */

/** @type {readonly Direction[]} */
const bothWays = ['up', 'down'];

/** @returns {Record<Path, Record<Direction, Behaviour>>} */
const healthy = () => ({
  data: { up: { kind: 'pass' }, down: { kind: 'pass' } },
  bus: { up: { kind: 'pass' }, down: { kind: 'pass' } },
});

/**
 * A client's way to a server: TCP on loopback, with faults per path and direction. No privileges are needed. Hanging,
 * slowness and dropping last until they are healed; the others happen once, to the connections that there are.
 */
export class FaultProxy {
  /** @type {Set<Connection>} */
  #connections = new Set();
  #behaviours = healthy();
  #server;
  #target;

  /** @param {{ host?: string, port: number }} target @param {Watch} [watch] sees every chunk before it goes its way */
  constructor({ host = '127.0.0.1', port }, watch) {
    this.#target = { host, port };
    this.#server = createServer((client) => {
      const connection = new Connection(client, this.#target, (path, direction) => this.#behaviours[path][direction]);
      connection.watch = watch;
      this.#connections.add(connection);
      connection.over.then(() => this.#connections.delete(connection));
    });
  }

  /** @param {{ host?: string, port: number }} target @param {Watch} [watch] @returns {Promise<FaultProxy>} */
  static async to(target, watch) {
    const proxy = new FaultProxy(target, watch);
    await proxy.listen();
    return proxy;
  }

  /** On a free port. */
  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port() {
    return /** @type {import('node:net').AddressInfo} */ (this.#server.address()).port;
  }

  /** The same service by way of this. @param {string | URL} url */
  through(url) {
    const own = new URL(url);
    own.host = `127.0.0.1:${this.port}`;
    return own.href;
  }

  /** How many connections there are of each path. */
  get connections() {
    const counts = { data: 0, bus: 0 };
    for (const { path } of this.#connections) counts[path] += 1;
    return counts;
  }

  /** Accepts everything, passes nothing on. @param {readonly Path[]} paths @param {readonly Direction[]} [directions] */
  hang(paths, directions) {
    this.#behave(paths, directions, { kind: 'hang' });
  }

  /** @param {readonly Path[]} paths @param {() => number} delayMs of each chunk @param {readonly Direction[]} [directions] */
  slow(paths, delayMs, directions) {
    this.#behave(paths, directions, { kind: 'slow', delayMs });
  }

  /** Accepts everything and loses it. @param {readonly Path[]} paths @param {readonly Direction[]} [directions] */
  drop(paths, directions) {
    this.#behave(paths, directions, { kind: 'drop' });
  }

  /** One end is gone and the other has not been told, as after a power cut. @param {readonly Path[]} paths @param {'client' | 'server'} [gone] */
  halfOpen(paths, gone = 'server') {
    for (const connection of this.#of(paths)) connection.orphan(gone);
  }

  /** The next so many bytes still pass, then the connection is reset: a torn message. @param {readonly Path[]} paths @param {Direction} direction @param {number} bytes */
  cut(paths, direction, bytes) {
    for (const connection of this.#of(paths)) connection.tear(direction, bytes);
  }

  /** Another server is behind it from now on; connections to the one before are reset. @param {number} port */
  moveTo(port) {
    this.#target = { ...this.#target, port };
    this.reset(['data', 'bus']);
  }

  /** Both ends are told at once (RST). @param {readonly Path[]} paths */
  reset(paths) {
    for (const connection of this.#of(paths)) connection.reset();
  }

  /**
   * What was held back is delivered now, or, with `reset`, lost together with its connections. A connection that has lost
   * something is of no use any more: it is reset.
   */
  heal({ reset = false } = {}) {
    const useless = this.#of(['data', 'bus']).filter((connection) => connection.lossy || (reset && connection.hangs));
    this.#behaviours = healthy();
    for (const connection of useless) connection.reset();
    for (const connection of this.#connections) connection.pump();
  }

  async close() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  /** @param {readonly Path[]} paths @param {readonly Direction[] | undefined} directions @param {Behaviour} behaviour */
  #behave(paths, directions = bothWays, behaviour) {
    for (const path of paths) for (const direction of directions) this.#behaviours[path][direction] = behaviour;
    for (const connection of this.#connections) connection.pump();
  }

  /** @param {readonly Path[]} paths */
  #of(paths) {
    return [...this.#connections].filter(({ path }) => paths.includes(path));
  }
}
