// @ts-check
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FaultProxy } from '../test/support/fault-proxy/fault-proxy.mjs';
import { commitQuery } from '../verify/faults/commit-cutter.mjs';

/** @typedef {'postgres' | 'redis'} Service */
/** @typedef {{ name: string, service: Service, sign: Buffer }} Message what a writer sends, and how it is known */
/** `sent`: it never arrives; `arrived`: its answer is never heard; `answered`: nor is it passed on. @typedef {typeof moments[number]} Moment */
/** @typedef {{ message: Message, moment: Moment }} FaultPoint */

const moments = /** @type {const} */ (['sent', 'arrived', 'answered']);

/**
 * Every step of a write, as it is seen on the way to the services, three times: when it is sent, when it has arrived, and
 * when it is answered. No code in the service knows of it.
 * @param {string} dist the built service
 * @param {import('../verify/checker/history.mjs').Policy} policy
 * @returns {Promise<FaultPoint[]>}
 */
export async function faultPointsOf(dist, policy) {
  const { scripts } = await import(pathToFileURL(join(dist, 'src', 'cache', 'levels', 'l2', 'scripts.js')).href);
  const sql = (/** @type {string} */ name, /** @type {string | Buffer} */ sign) =>
    /** @type {Message} */ ({ name, service: 'postgres', sign: Buffer.from(sign) });
  const script = (/** @type {string} */ name, /** @type {string} */ of) =>
    /** @type {Message} */ ({ name, service: 'redis', sign: Buffer.from(scripts[of].sha) });
  const writing = [sql('lock', 'FOR UPDATE'), sql('update', 'UPDATE "items" SET')];
  const commit = sql('commit', commitQuery);
  const load = sql('load', 'LEFT JOIN items i ON i.id = ANY(');
  const messages = {
    ttl: [...writing, commit],
    invalidate: [...writing, script('fence', 'fence'), commit],
    'write-through': [...writing, script('fence', 'fence'), commit, load, script('fill', 'fillRow')],
    strict: [...writing, script('fence', 'fence'), commit, load, script('fill', 'fillRow')],
  }[policy];
  return messages.flatMap((message) => moments.map((moment) => ({ message, moment })));
}

/** One node's ways to its services, which act when the armed point is reached. */
export class Tripwire {
  /** @type {FaultPoint | undefined} */
  #armed;
  /** @type {(() => void) | undefined} */
  #onReached;
  /** The connection whose next answer it is. @type {unknown} */
  #awaited;
  /** @type {Record<Service, FaultProxy>} */
  #proxies;

  /** @param {{ host: string, port: number }} postgres @param {{ port: number }} redis */
  constructor(postgres, redis) {
    this.#proxies = { postgres: this.#proxyTo('postgres', postgres), redis: this.#proxyTo('redis', redis) };
  }

  /** @returns {Promise<void>} */
  async listen() {
    await Promise.all(Object.values(this.#proxies).map((proxy) => proxy.listen()));
  }

  /** @param {URL} databaseUrl @returns {import('../verify/world.mjs').Way} */
  way(databaseUrl) {
    return { redisPort: this.#proxies.redis.port, databaseUrl: this.#proxies.postgres.through(databaseUrl) };
  }

  /** @param {FaultPoint} point @param {() => void} onReached before anything else happens */
  arm(point, onReached) {
    this.#armed = point;
    this.#onReached = onReached;
    this.#awaited = undefined;
  }

  /** Whether it is still waiting. */
  get armed() {
    return this.#armed !== undefined;
  }

  disarm() {
    this.#armed = undefined;
  }

  async close() {
    await Promise.all(Object.values(this.#proxies).map((proxy) => proxy.close()));
  }

  /** @param {Service} service @param {{ host?: string, port: number }} target */
  #proxyTo(service, target) {
    return new FaultProxy(target, (chunk, direction, connection) => {
      if (this.#armed?.message.service !== service) return;
      const { message, moment } = this.#armed;
      const sent = direction === 'up' && chunk.includes(message.sign);
      if (sent && moment === 'answered') this.#awaited = connection;
      else if (sent || (direction === 'down' && connection === this.#awaited)) {
        this.#armed = undefined;
        this.#onReached?.();
        if (moment !== 'arrived') connection.tear(direction, 0);
      }
    });
  }
}
