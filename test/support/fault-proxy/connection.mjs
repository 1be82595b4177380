// @ts-check
import { connect } from 'node:net';
import { Pipe } from './pipe.mjs';

/** @typedef {import('node:net').Socket} Socket */
/** @typedef {import('./pipe.mjs').Behaviour} Behaviour */
/** @typedef {'up' | 'down'} Direction to the server, to the client */
/** @typedef {'data' | 'bus'} Path commands, or the connection that hears invalidations */
/** @typedef {(chunk: Buffer, direction: Direction, connection: Connection) => void} Watch */

/** How a connection shows that it is there to listen. */
const subscribes = /\r\nSUBSCRIBE\r\n/i;

/** One client and its server, with a pipe each way between them. */
export class Connection {
  /** @type {Path} */
  path = 'data';
  /** @type {Watch | undefined} */
  watch;
  #client;
  #server;
  #pipes;
  #orphaned = false;

  /**
   * @param {Socket} client
   * @param {{ host: string, port: number }} target
   * @param {(path: Path, direction: Direction) => Behaviour} behaviour
   */
  constructor(client, target, behaviour) {
    const server = connect(target);
    this.#client = client;
    this.#server = server;
    const pipeTo = (/** @type {Socket} */ sink, /** @type {Direction} */ direction) =>
      new Pipe(
        sink,
        () => (this.#orphaned ? { kind: 'drop' } : behaviour(this.path, direction)),
        () => this.reset(),
      );
    this.#pipes = { up: pipeTo(server, 'up'), down: pipeTo(client, 'down') };
    const { up, down } = this.#pipes;
    client.on('data', (chunk) => {
      if (this.path === 'data' && subscribes.test(chunk.toString('latin1'))) this.path = 'bus';
      this.watch?.(chunk, 'up', this);
      up.push(chunk);
    });
    server.on('data', (chunk) => {
      this.watch?.(chunk, 'down', this);
      down.push(chunk);
    });
    client.on('end', () => up.push(undefined));
    server.on('end', () => down.push(undefined));
    // A client that gave up has sent what it has sent: it still arrives. A server that is gone takes its client along.
    client.on('error', () => up.push(undefined));
    server.on('error', () => client.resetAndDestroy());
    server.on('close', () => this.#follow());
    for (const socket of [client, server]) socket.setNoDelay(true);
    const closed = (/** @type {Socket} */ socket) => new Promise((resolve) => socket.once('close', resolve));
    /** @type {Promise<unknown>} */
    this.over = Promise.all([closed(client), closed(server)]).then(() => [up, down].forEach((pipe) => pipe.close()));
  }

  get hangs() {
    return this.#pipes.up.hangs || this.#pipes.down.hangs;
  }

  /** Whether something that was sent will never arrive. */
  get lossy() {
    return this.#orphaned || this.#pipes.up.lossy || this.#pipes.down.lossy;
  }

  pump() {
    this.#pipes.up.pump();
    this.#pipes.down.pump();
    if (this.#server.closed) this.#follow();
  }

  /** @param {'client' | 'server'} gone */
  orphan(gone) {
    this.#orphaned = true;
    (gone === 'server' ? this.#server : this.#client).destroy();
  }

  /** @param {Direction} direction @param {number} bytes that still pass */
  tear(direction, bytes) {
    this.#pipes[direction].tearAfter(bytes);
  }

  reset() {
    for (const socket of [this.#client, this.#server]) socket.resetAndDestroy();
  }

  /** The server is gone: so is the client, once it may know. */
  #follow() {
    if (!this.#client.writableEnded && !this.#pipes.down.hangs && !this.#orphaned) this.#client.destroy();
  }

  destroy() {
    for (const socket of [this.#client, this.#server]) socket.destroy();
  }
}
