// @ts-check
import { Inspector } from '../test/support/inspector.mjs';

/** @typedef {import('../verify/node-process.mjs').NodeProcess} NodeProcess */
/** @typedef {{ heap: number, external: number, rss: number, l1: number, l1Entries: number }} Memory in MB, but for the entries */

const megabytes = (/** @type {number} */ bytes) => Math.round(bytes / 1e5) / 10;

/** What a node uses, once its garbage is collected. @param {NodeProcess} node @returns {Promise<Memory>} */
export async function memoryOf(node) {
  const inspector = await Inspector.of(node.log);
  const heap = await inspector.usedBytes();
  inspector.close();
  const metrics = await metricsOf(node);
  return {
    heap: megabytes(heap),
    external: megabytes(metrics('nodejs_external_memory_bytes')),
    rss: megabytes(metrics('process_resident_memory_bytes')),
    l1: megabytes(metrics('cache_l1_bytes')),
    l1Entries: metrics('cache_l1_entries'),
  };
}

/** The value of a metric without labels. @param {NodeProcess} node @returns {Promise<(name: string) => number>} */
export async function metricsOf({ url }) {
  const text = await (await fetch(new URL('/metrics', url))).text();
  return (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
}

/**
 * Whether it has stayed where it was: a tenth more, or a few megabytes, is what two collections of the same process differ by.
 * @param {Memory} before
 * @param {Memory} after
 * @param {number} [aside] MB that are known to have been added
 */
export const isFlat = (before, after, aside = 0) =>
  after.heap + after.external <= 1.1 * (before.heap + before.external) + 3 + aside;

/** @param {Memory} memory */
export const sizeOf = ({ heap, external }) => `${Math.round((heap + external) * 10) / 10} MB`;
