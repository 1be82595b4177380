// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { targetOf, temperOf } from './choices.mjs';
import { bodyOf, categoryOf, writeKinds } from './writes.mjs';

/** @typedef {import('../random.mjs').Random} Random */
/** @typedef {import('../node-process.mjs').NodeProcess} NodeProcess */

/** Longer than a node is ever paused: what it answers when it wakes is what matters most. */
const readTimeoutMs = 15_000;
const writeTimeoutsMs = /** @type {const} */ ([800, 7_000]);
const listShare = 0.1;
/** Of reads of what was read before. */
const conditionalShare = 0.1;
const headShare = 0.08;
/** Of writes, where there are other kinds. */
const putShare = 0.45;
const longestThoughtMs = 30;

/**
 * @typedef {object} WorkloadOptions
 * @property {readonly NodeProcess[]} nodes
 * @property {import('./rows.mjs').RowPool} rows
 * @property {readonly import('./writes.mjs').WriteKind[]} [kinds] of writes, besides `PUT /items/:id`
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
    const { key, category } = targetOf(this.#options.rows.items, random);
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
    const { rows } = this.#options;
    await this.#read(node, random.chance(listShare) ? rows.list(random) : rows.row(random), random);
  }

  /** @param {Random} random */
  async #writeSomething(random) {
    const { nodes, kinds = [] } = this.#options;
    const up = nodes.filter(({ url }) => url);
    if (up.length === 0) return void (await sleep(20));
    const node = random.pick(up);
    if (kinds.length === 0 || random.chance(putShare)) await this.#put(node, random);
    else await this.#change(node, random.pick(kinds), random);
    await sleep(random.between(0, longestThoughtMs));
  }

  /** @param {NodeProcess} node @param {Random} random */
  async #put(node, random) {
    const { client, recorder, rows } = this.#options;
    const { key, category } = targetOf(rows.items, random);
    const { prefix, doomed } = temperOf(this.mode, random);
    const name = `${prefix}write ${(this.#names += 1)}`;
    const body = { name, category, price: 1, quantity: this.#names };
    const options = { method: 'PUT', body, timeoutMs: random.pick(writeTimeoutsMs) };
    const answer = await client.send(/** @type {URL} */ (node.url), `/items/${key}`, options);
    const source = /** @type {const} */ ('service');
    const write = { source, node: node.index, key, name, category, ...(doomed && { doomed }) };
    if (recorder.write(write, answer)) await this.#lookAt(key, category, random);
  }

  /** @param {NodeProcess} node @param {import('./writes.mjs').WriteKind} kind @param {Random} random */
  async #change(node, kind, random) {
    const { client, recorder, rows: pool } = this.#options;
    const { prefix, doomed } = temperOf(this.mode, random);
    const draft = writeKinds[kind].draw({ pool, random, name: `${prefix}write ${(this.#names += 1)}` });
    if (!draft) return;
    const { writer, rows, undone = [], removes = false } = draft;
    const keys = rows.map(({ key }) => key);
    if (!removes) pool.begin(keys);
    const options = { method: 'POST', body: bodyOf(draft), timeoutMs: random.pick(writeTimeoutsMs) };
    const answer = await client.send(/** @type {URL} */ (node.url), `/verify/writes/${writer}`, options);
    if (!removes) pool.end(keys, answer.status === 200);
    const common = { source: /** @type {const} */ ('service'), node: node.index, kind };
    for (const row of undone)
      recorder.undone({ ...common, key: row.key, name: row.name, category: categoryOf(row) }, answer);
    for (const row of rows) {
      const { key, name, recorded = name } = row;
      const doomedToo = doomed && !removes ? { doomed } : {};
      const write = { ...common, key, name: recorded, category: categoryOf(row), ...doomedToo };
      if (recorder.write(write, answer)) await this.#lookAt(key, write.category, random);
    }
  }

  /** Whoever was told that a write is done looks at once, elsewhere: the most telling moment. @param {import('../checker/history.mjs').Key} key @param {string} category @param {Random} random */
  async #lookAt(key, category, random) {
    const up = this.#options.nodes.filter(({ url }) => url);
    if (up.length === 0) return;
    await this.#read(random.pick(up), this.#options.rows.around(key, category, random), random);
  }

  /** @param {NodeProcess} node @param {import('./rows.mjs').Ask} ask @param {Random} random */
  async #read({ url, index }, ask, random) {
    if (!url) return;
    const { client, recorder } = this.#options;
    const tag = random.chance(conditionalShare) ? recorder.tagOf(ask.path) : undefined;
    const headers = tag === undefined ? {} : { 'If-None-Match': tag };
    const method = random.chance(headShare) ? 'HEAD' : 'GET';
    const answer = await client.send(url, ask.path, { method, headers, timeoutMs: readTimeoutMs });
    recorder.read(index, ask, answer);
    if (answer.status === 0 || answer.status >= 500) await sleep(10);
  }
}
