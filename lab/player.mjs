// @ts-check
import { Recorder } from '../verify/workload/recorder.mjs';

/** @typedef {import('../verify/checker/history.mjs').Fault} Fault */
/** @typedef {import('./script.mjs').Cue} Cue */
/** @typedef {import('./stage.mjs').Stage} Stage */

const readTimeoutMs = 5_000;
const writeTimeoutMs = 7_000;

/** Does what the cues say, and records what came of it. */
export class Player {
  recorder = new Recorder();
  #stage;
  /** @type {Set<Promise<void>>} */
  #running = new Set();
  /** @type {Map<number, Fault>} the fault that a node suffers */
  #faults = new Map();
  /** @type {unknown[]} */
  #failures = [];

  /** @param {Stage} stage */
  constructor(stage) {
    this.#stage = stage;
  }

  /** @param {Cue} cue */
  begin(cue) {
    const running = this.#perform(cue)
      .catch((error) => void this.#failures.push(error))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async ended() {
    while (this.#running.size > 0) await Promise.all(this.#running);
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  /** @param {Cue} cue @returns {Promise<void>} */
  async #perform(cue) {
    switch (cue.kind) {
      case 'read':
        return this.#read(cue.node, cue);
      case 'write':
        return this.#write(cue);
      case 'sql':
        return this.#update(cue);
      case 'cut':
        this.#begin('partition', cue.node);
        return this.#proxy(cue.node).hang(['data', 'bus']);
      case 'heal':
        this.#proxy(cue.node).heal();
        return this.#end(cue.node);
      case 'kill':
        this.#begin('kill', cue.node);
        return this.#stage.nodes[cue.node]?.kill();
      case 'start':
        await this.#stage.nodes[cue.node]?.start();
        return this.#end(cue.node);
    }
  }

  /** @param {number} wanted @param {{ key?: number, category?: string }} asked */
  async #read(wanted, { key, category }) {
    const node = this.#nodeFor(wanted);
    if (!node) return;
    const path = category === undefined ? `/items/${key}` : `/items?category=${category}&limit=100`;
    const answer = await this.#stage.client.send(node.url, path, { timeoutMs: readTimeoutMs });
    const asked = category === undefined ? (key === undefined ? {} : { key }) : { category };
    this.recorder.read(node.index, asked, answer);
  }

  /** Whoever was told that a write is done looks at once, through the other node: the most telling moment. @param {import('./script.mjs').WriteCue} cue */
  async #write({ node: wanted, key, name, category, look }) {
    const node = this.#nodeFor(wanted);
    if (!node) return;
    const body = { name, category, price: 1, quantity: 1 };
    const options = { method: 'PUT', body, timeoutMs: writeTimeoutMs };
    const answer = await this.#stage.client.send(node.url, `/items/${key}`, options);
    const told = this.recorder.write({ source: 'service', node: node.index, key, name, category }, answer);
    if (told) await this.#read(1 - node.index, look === 'list' ? { category } : { key });
  }

  /** @param {import('./script.mjs').SqlCue} cue */
  async #update({ key, name, category }) {
    const invokedMs = performance.now();
    const version = await this.#stage.database.update(key, name, category);
    const completedMs = performance.now();
    const write = { source: /** @type {const} */ ('sql'), node: -1, key, name, category, version };
    this.recorder.writes.push({ ...write, invokedMs, completedMs, outcome: 'ok' });
  }

  /** The node itself, or the other one while it is down. @param {number} wanted */
  #nodeFor(wanted) {
    for (const index of [wanted, 1 - wanted]) {
      const url = this.#stage.nodes[index]?.url;
      if (url) return { index, url };
    }
    return undefined;
  }

  /** @param {number} node */
  #proxy(node) {
    return /** @type {import('../test/support/fault-proxy/fault-proxy.mjs').FaultProxy} */ (this.#stage.proxies[node]);
  }

  /** @param {string} name @param {number} node */
  #begin(name, node) {
    const fault = { name, node, fromMs: performance.now(), untilMs: Infinity };
    this.#faults.set(node, this.recorder.fault(fault));
  }

  /** @param {number} node */
  #end(node) {
    const fault = this.#faults.get(node);
    if (fault) fault.untilMs = performance.now();
  }
}
