// @ts-check
/** @typedef {{ count: number, p50: number, p99: number, p999: number, max: number }} Percentiles */

/** By nearest rank, in the unit of the values, to a tenth. @param {readonly number[]} values @returns {Percentiles} */
export function percentiles(values) {
  const sorted = Float64Array.from(values).sort();
  const at = (/** @type {number} */ share) =>
    Math.round(10 * (sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0)) / 10;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}
