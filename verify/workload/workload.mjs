// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { categories, keyOf, targetOf, temperOf } from './choices.mjs';

/** @typedef {import('../random.mjs').Random} Random */
/** @typedef {import('../node-process.mjs').NodeProcess} NodeProcess */

/** Longer than a node is ever paused: what it answers when it wakes is what matters most. */
const readTimeoutMs = 15_000;
const writeTimeoutsMs = /** @type {const} */ ([800, 7_000]);
const listShare = 0.1;
const longestThoughtMs = 30;

/**
 * @typedef {object} WorkloadOptions
 * @property {readonly NodeProcess[]} nodes
 * @property {readonly number[]} keys
 * @property {Random} random
 * @property {import('./client.mjs').Client} client
 * @property {import('./recorder.mjs').Recorder} recorder
 * @property {import('../database.mjs').RunDatabase} database
 * @property {number} readers per node
 * @property {number} writers
 */

/** Readers of every node, writers through any node, until it is stopped. */
export class Workload {
  /** Faults that live in the requests themselves. */
  mode = { doomed: false, slow: false };
  #options;
  #names = 0;
  #stopped = false;
  /** @type {Promise<unknown>[]} */
  #running = [];

  /** @param {WorkloadOptions} options */
  constructor(options) {
    this.#options = options;
  }

  start() {
    const { nodes, readers, writers, random } = this.#options;
    for (const node of nodes) {
      for (let reader = 0; reader < readers; reader += 1) {
        this.#running.push(
          this.#loop(random.fork(`reader ${node.index} ${reader}`), (own) => this.#readSomething(node, own)),
        );
      }
    }
    for (let writer = 0; writer < writers; writer += 1) {
      this.#running.push(this.#loop(random.fork(`writer ${writer}`), (own) => this.#writeSomething(own)));
    }
  }

  /** Resolves when every request has ended. */
  async stop() {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  /** A write that goes past the service. @param {Random} random */
  async writeSql(random) {
    const { database, recorder } = this.#options;
    const { key, category } = targetOf(this.#options.keys, random);
    const name = `sql ${(this.#names += 1)}`;
    const invokedMs = performance.now();
    const version = await database.update(key, name, category).catch(() => undefined);
    const told =
      version === undefined
        ? { outcome: /** @type {const} */ ('unknown') }
        : { outcome: /** @type {const} */ ('ok'), version };
    recorder.writes.push({
      source: 'sql',
      node: -1,
      key,
      name,
      category,
      invokedMs,
      completedMs: performance.now(),
      ...told,
    });
  }

  /** @param {Random} random @param {(random: Random) => Promise<void>} step */
  async #loop(random, step) {
    while (!this.#stopped) await step(random);
  }

  /** @param {NodeProcess} node @param {Random} random */
  async #readSomething(node, random) {
    if (!node.url) return void (await sleep(20));
    if (random.chance(listShare)) await this.#readList(node, random.pick(categories));
    else await this.#readRow(node, keyOf(this.#options.keys, random));
  }

  /** @param {Random} random */
  async #writeSomething(random) {
    const { nodes, client, recorder, keys } = this.#options;
    const up = nodes.filter(({ url }) => url);
    if (up.length === 0) return void (await sleep(20));
    const node = random.pick(up);
    const { key, category } = targetOf(keys, random);
    const { prefix, doomed } = temperOf(this.mode, random);
    const name = `${prefix}write ${(this.#names += 1)}`;
    const body = { name, category, price: 1, quantity: this.#names };
    const timeoutMs = random.pick(writeTimeoutsMs);
    const answer = await client.send(/** @type {URL} */ (node.url), `/items/${key}`, {
      method: 'PUT',
      body,
      timeoutMs,
    });
    const write = {
      source: /** @type {const} */ ('service'),
      node: node.index,
      key,
      name,
      category,
      ...(doomed && { doomed }),
    };
    if (recorder.write(write, answer)) await this.#lookAt(key, category, random);
    await sleep(random.between(0, longestThoughtMs));
  }

  /** Whoever was told that a write is done looks at once, elsewhere: the most telling moment. @param {number} key @param {string} category @param {Random} random */
  async #lookAt(key, category, random) {
    const up = this.#options.nodes.filter(({ url }) => url);
    if (up.length === 0) return;
    if (random.chance(0.2)) await this.#readList(random.pick(up), category);
    else await this.#readRow(random.pick(up), key);
  }

  /** @param {NodeProcess} node @param {number} key */
  async #readRow({ url, index }, key) {
    if (!url) return;
    const { client, recorder } = this.#options;
    const answer = await client.send(url, `/items/${key}`, { timeoutMs: readTimeoutMs });
    recorder.read(index, { key }, answer);
    if (answer.status === 0) await sleep(10);
  }

  /** @param {NodeProcess} node @param {string} category */
  async #readList({ url, index }, category) {
    if (!url) return;
    const { client, recorder } = this.#options;
    const answer = await client.send(url, `/items?category=${category}&limit=100`, { timeoutMs: readTimeoutMs });
    recorder.read(index, { category }, answer);
    if (answer.status === 0) await sleep(10);
  }
}
