// @ts-check
import { quantileSorted } from 'simple-statistics';

/**
 * What a subject did in one slice of time.
 * @typedef {{ rate: number, p50: number, p99: number, count: number }} Slice operations per second; latencies in ms
 */

/** @typedef {Exclude<keyof Slice, 'count'>} Metric */

/** Collects the operations of one slice. */
export class SliceRecorder {
  /** @type {number[]} */
  #latencies = [];
  #beganMs = performance.now();

  /** @param {number} latencyMs of an operation that has ended */
  add(latencyMs) {
    this.#latencies.push(latencyMs);
  }

  /** @returns {Slice} everything until now, the last operation included */
  end() {
    const seconds = (performance.now() - this.#beganMs) / 1000;
    const latencies = Float64Array.from(this.#latencies).sort();
    if (latencies.length === 0) throw new Error('nothing has ended within a slice: make slices longer');
    const at = (/** @type {number} */ share) => quantileSorted(/** @type {any} */ (latencies), share);
    return { rate: latencies.length / seconds, p50: at(0.5), p99: at(0.99), count: latencies.length };
  }
}
