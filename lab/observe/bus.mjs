// @ts-check
import { Redis } from 'ioredis';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * An invalidation as Redis told it to everybody.
 * @typedef {{ heardMs: number, sentMs: number, tags: string[] }} Heard
 */

/** Listens where the nodes listen, past their proxies: when was which invalidation told? */
export class Bus {
  /** @type {Heard[]} */
  heard = [];
  #redis;

  /** @param {Redis} redis */
  constructor(redis) {
    this.#redis = redis;
    // What nodes tell in wall time, on our clock.
    const offsetMs = performance.now() - Date.now();
    redis.on('pmessage', (_pattern, _channel, text) => {
      const heardMs = performance.now();
      const { tags, atMs } = JSON.parse(text);
      // The sender's clock has whole milliseconds.
      this.heard.push({ heardMs, sentMs: Math.min(heardMs, atMs + 1 + offsetMs), tags });
    });
  }

  /** @param {number} port @param {string} dist the built service, which knows the channel */
  static async listen(port, dist) {
    const keys = join(dist, 'src', 'cache', 'levels', 'l2', 'keys.js');
    const { invalidationChannel } = await import(pathToFileURL(keys).href);
    const redis = new Redis({ port, host: '127.0.0.1' });
    const bus = new Bus(redis);
    // One service is all that this Redis has.
    await redis.psubscribe(invalidationChannel('*'));
    return bus;
  }

  close() {
    this.#redis.disconnect();
  }
}
