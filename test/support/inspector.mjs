// @ts-check
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'undici';

/** `NODE_OPTIONS` of a process that can be looked into, on a free port. */
export const inspectable = '--inspect=127.0.0.1:0';

const listening = /Debugger listening on (ws:\S+)/;

/** The debugger's way into a running process (Chrome DevTools protocol): nothing in the process knows of it. */
export class Inspector {
  #socket;
  #count = 0;
  /** @type {Map<number, (message: { result?: any, error?: { message: string } }) => void>} */
  #waiting = new Map();

  /** @param {WebSocket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data));
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    });
  }

  /** @param {string} log the file that the process writes to @returns {Promise<Inspector>} */
  static async of(log) {
    for (let attempt = 0; attempt < 500; attempt += 1) {
      const url = listening.exec(readFileSync(log, 'utf8'))?.[1];
      if (url) {
        const socket = new WebSocket(url);
        await new Promise((resolve, reject) => {
          socket.addEventListener('open', resolve);
          socket.addEventListener('error', reject);
        });
        return new Inspector(socket);
      }
      await sleep(20);
    }
    throw new Error(`no debugger in ${log}`);
  }

  /** Bytes in use on the heap, once all garbage is collected. @returns {Promise<number>} */
  async usedBytes() {
    // What a collection lets go of (weak references, finalizers) is garbage of the next one.
    for (let time = 0; time < 3; time += 1) await this.send('HeapProfiler.collectGarbage');
    return (await this.send('Runtime.getHeapUsage')).usedSize;
  }

  /** Runs a text in the process; what it throws is not reported here. @param {string} expression */
  async evaluate(expression) {
    await this.send('Runtime.evaluate', { expression });
  }

  close() {
    this.#socket.close();
  }

  /** @param {string} method @param {object} [params] @returns {Promise<any>} */
  send(method, params = {}) {
    const id = (this.#count += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) =>
        error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result),
      );
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }
}
