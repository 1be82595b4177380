// @ts-check
import { quantile } from 'simple-statistics';
import { parseCacheStatus } from '../../verify/workload/cache-status.mjs';

/** @typedef {import('../../verify/checker/history.mjs').Read} Read */
/** @typedef {import('../observe/loads.mjs').Sample} Sample */
/** @typedef {{ atMs: number, hitRatio: number | null, p95Ms: number | null, loadsPerSecond: number | null }} Point `atMs` is the middle of its interval; null where nothing was asked */

/** @param {Read} read */
const isHit = ({ cacheStatus }) => parseCacheStatus(cacheStatus).hit;
/** @param {Read} read */
const tookMs = ({ invokedMs, completedMs }) => completedMs - invokedMs;

/** @param {readonly Read[]} reads that were answered */
export const hitRatio = (reads) => (reads.length > 0 ? reads.filter(isHit).length / reads.length : null);

/** @param {readonly Read[]} reads that were answered @param {number} part */
export const latencyMs = (reads, part) => (reads.length > 0 ? quantile(reads.map(tookMs), part) : null);

/**
 * How a run went, interval by interval.
 * @param {{ reads: readonly Read[], loads: readonly Sample[] }} seen answered reads; times from the start of the run
 * @param {number} lengthMs
 * @param {number} everyMs
 * @returns {Point[]}
 */
export function series({ reads, loads }, lengthMs, everyMs) {
  const count = Math.ceil(lengthMs / everyMs);
  const indexOf = (/** @type {number} */ atMs) => Math.min(count - 1, Math.max(0, Math.floor(atMs / everyMs)));
  /** @type {Read[][]} */
  const byInterval = Array.from({ length: count }, () => []);
  for (const read of reads) byInterval[indexOf(read.invokedMs)]?.push(read);
  const loaded = spread(loadsBetween(loads), count, everyMs);
  return byInterval.map((own, i) => ({
    atMs: (i + 0.5) * everyMs,
    hitRatio: hitRatio(own),
    p95Ms: latencyMs(own, 0.95),
    loadsPerSecond: ((loaded[i] ?? 0) * 1_000) / everyMs,
  }));
}

/** @typedef {{ fromMs: number, untilMs: number, count: number }} Loads */

/**
 * What was counted between two samples of a node. One that has started again counts from zero.
 * @param {readonly Sample[]} samples
 * @returns {Loads[]}
 */
export function loadsBetween(samples) {
  /** @type {Map<number, Sample>} */
  const last = new Map();
  /** @type {Loads[]} */
  const found = [];
  for (const sample of samples) {
    const { atMs, node, count } = sample;
    const before = last.get(node);
    last.set(node, sample);
    if (!before) continue;
    found.push({ fromMs: before.atMs, untilMs: atMs, count: count >= before.count ? count - before.count : count });
  }
  return found;
}

/** Evenly over the intervals that they fall in. @param {readonly Loads[]} loads @param {number} count @param {number} everyMs */
function spread(loads, count, everyMs) {
  const sums = new Array(count).fill(0);
  for (const { fromMs, untilMs, count: loaded } of loads) {
    for (let i = Math.max(0, Math.floor(fromMs / everyMs)); i < count && i * everyMs < untilMs; i += 1) {
      const overlapMs = Math.min(untilMs, (i + 1) * everyMs) - Math.max(fromMs, i * everyMs);
      sums[i] += (loaded * overlapMs) / (untilMs - fromMs);
    }
  }
  return sums;
}
