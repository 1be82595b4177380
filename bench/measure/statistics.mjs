// @ts-check
import { medianSorted, quantileSorted, sampleWithReplacement } from 'simple-statistics';

/** @typedef {{ median: number, low: number, high: number }} Interval the median, and where it lies with 95 % confidence */

const resamples = 2_000;

/**
 * The median with its bootstrap percentile interval (Efron 1979): nothing is assumed of how the values are distributed,
 * only that the slices they come from are like one another.
 * @param {readonly number[]} values at least one
 * @param {{ next: () => number }} random
 * @returns {Interval}
 */
export function medianInterval(values, random) {
  const source = () => random.next();
  const medians = Array.from({ length: resamples }, () =>
    medianOf(sampleWithReplacement([...values], values.length, source)),
  ).sort((a, b) => a - b);
  return { median: medianOf(values), low: quantileSorted(medians, 0.025), high: quantileSorted(medians, 0.975) };
}

/** @param {readonly number[]} values */
export const medianOf = (values) => medianSorted(/** @type {any} */ (Float64Array.from(values).sort()));
