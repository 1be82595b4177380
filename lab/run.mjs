// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { Recorder } from '../verify/workload/recorder.mjs';
import { committedAtMs } from './observe/commit-time.mjs';
import { LoadSamples } from './observe/loads.mjs';
import { settings } from './stage.mjs';

/** @typedef {import('../verify/checker/history.mjs').History} History */
/** @typedef {import('./script.mjs').Script} Script */
/** @typedef {import('./script.mjs').Cue} Cue */
/** @typedef {import('./stage.mjs').Stage} Stage */

/**
 * What was seen of one policy. All times are on the clock of the history.
 * @typedef {object} Recorded
 * @property {History} history
 * @property {number} startedMs
 * @property {import('./observe/loads.mjs').Sample[]} loads
 * @property {import('./observe/bus.mjs').Heard[]} heard
 * @property {number[]} delaysMs by how much each cue came too late: how busy the machine was
 * @property {number} [witnessCommittedMs]
 */

const readTimeoutMs = 5_000;
const writeTimeoutMs = 7_000;

/**
 * Plays the script on a stage: each cue at its moment, whatever became of the earlier ones.
 * @param {Script} script
 * @param {Stage} stage
 * @param {import('../verify/checker/history.mjs').Policy} policy
 * @returns {Promise<Recorded>}
 */
export async function play(script, stage, policy) {
  const player = new Player(stage);
  const loads = new LoadSamples(stage.nodes, stage.client);
  /** @type {number[]} */
  const delaysMs = [];
  const startedMs = performance.now();
  try {
    for (const cue of script.cues) {
      const waitMs = startedMs + cue.atMs - performance.now();
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: stage.signal });
      delaysMs.push(performance.now() - startedMs - cue.atMs);
      player.begin(cue);
    }
    await player.ended();
  } finally {
    await loads.stop();
  }
  stage.signal.throwIfAborted();
  const { reads, writes, faults } = player.recorder;
  const committed = await stage.database.committed();
  const witnessCommittedMs = await committedAtMs(stage.database.url, script.witness.key);
  return {
    history: { policy, settings, seeds: stage.seeds, writes, reads, faults, committed, left: [] },
    startedMs,
    loads: loads.samples,
    heard: stage.bus.heard,
    delaysMs,
    ...(witnessCommittedMs !== undefined && { witnessCommittedMs }),
  };
}

class Player {
  recorder = new Recorder();
  #stage;
  /** @type {Set<Promise<void>>} */
  #running = new Set();
  /** @type {Map<number, import('../verify/checker/history.mjs').Fault>} the fault that a node suffers */
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
    return /** @type {import('../verify/proxy/fault-proxy.mjs').FaultProxy} */ (this.#stage.proxies[node]);
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
