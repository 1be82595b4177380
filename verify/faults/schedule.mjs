// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeFault, sharedFault } from './faults.mjs';
import { nodeFaults, sharedFaults } from './names.mjs';

/** @typedef {import('../random.mjs').Random} Random */
/** @typedef {import('./faults.mjs').Place} Place */
/** @typedef {import('./faults.mjs').World} World */
/** @typedef {import('./names.mjs').FaultName} FaultName */

/** Between two faults, in ms: `busy` until each has come often enough, then `calm`. */
const gaps = { busy: [50, 1_200], calm: [1_000, 8_000] };

/** Two lanes side by side, each one fault at a time: what happens to one node, and what happens to all. */
export class Schedule {
  #options;
  /** @type {Record<string, number>} */
  #counts;
  #stopping = new globalThis.AbortController();
  /** @type {Promise<unknown>[]} */
  #lanes = [];

  /** @param {{ faults: readonly FaultName[], times: number, places: readonly Place[], world: World, random: Random, recorder: import('../workload/recorder.mjs').Recorder, onError: (error: Error) => void }} options */
  constructor(options) {
    this.#options = options;
    this.#counts = Object.fromEntries(options.faults.map((name) => [name, 0]));
  }

  /** How often the rarest fault has come and gone. */
  get least() {
    return Math.min(Infinity, ...Object.values(this.#counts));
  }

  get total() {
    return Object.values(this.#counts).reduce((sum, count) => sum + count, 0);
  }

  start() {
    const { faults, random, onError } = this.#options;
    const ofNodes = nodeFaults.filter((name) => faults.includes(name));
    const ofAll = sharedFaults.filter((name) => faults.includes(name));
    this.#lanes = [
      this.#lane(ofNodes, random.fork('nodes'), (name, own) => this.#breakNode(name, own)),
      this.#lane(ofAll, random.fork('all'), (name, own) => this.#breakAll(name, own)),
    ].map((lane) => lane.catch(onError));
  }

  /** Begins no more faults; resolves when those in force are healed. */
  async stop() {
    this.#stopping.abort();
    await Promise.all(this.#lanes);
  }

  /** @template {FaultName} Name @param {readonly Name[]} names @param {Random} random @param {(name: Name, random: Random) => Promise<void>} run */
  async #lane(names, random, run) {
    const { signal } = this.#stopping;
    while (names.length > 0 && !signal.aborted) {
      for (const name of random.shuffle(names)) {
        const [shortest = 0, longest = 0] = this.least < this.#options.times ? gaps.busy : gaps.calm;
        await sleep(random.between(shortest, longest), undefined, { signal }).catch(() => undefined);
        if (signal.aborted) return;
        await run(name, random);
        this.#counts[name] = (this.#counts[name] ?? 0) + 1;
      }
    }
  }

  /** @param {import('./names.mjs').NodeFault} name @param {Random} random */
  async #breakNode(name, random) {
    const { places, world } = this.#options;
    const place = random.pick(places);
    await this.#noted(name, { node: place.node.index }, () => nodeFault[name](place, world, random));
  }

  /** @param {import('./names.mjs').SharedFault} name @param {Random} random */
  async #breakAll(name, random) {
    await this.#noted(name, {}, () => sharedFault[name](this.#options.world, random));
  }

  /** @param {FaultName} name @param {{ node?: number }} where @param {() => Promise<string | void>} run */
  async #noted(name, where, run) {
    const fault = this.#options.recorder.fault({ name, ...where, fromMs: performance.now(), untilMs: Infinity });
    const detail = await run();
    fault.untilMs = performance.now();
    if (detail) fault.detail = detail;
  }
}
