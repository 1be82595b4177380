// @ts-check
/** @typedef {import('./measure.mjs').Result} Result */
/** @typedef {{ text: string, holds: boolean }} Comparison */

const theory = /** @type {const} */ ([
  ['ttl', 'invalidate'],
  ['ttl', 'write-through'],
  ['invalidate', 'strict'],
  ['write-through', 'strict'],
]);

/**
 * Whether the policies differ as the theory says, by the oldest answer and by how many there were; what only SQL wrote apart.
 * @param {readonly Result[]} results
 * @returns {Comparison[]}
 */
export function compare(results) {
  const of = (/** @type {string} */ name) => results.find(({ policy }) => policy === name);
  const comparisons = theory.flatMap(([older, newer]) => {
    const [a, b] = [of(older)?.stale, of(newer)?.stale];
    return a && b ? [{ text: `${older} > ${newer}`, holds: a.worstMs > b.worstMs && a.reads > b.reads }] : [];
  });
  const strict = of('strict');
  if (strict) comparisons.push({ text: 'strict = 0', holds: promiseOfStrictKept(results) });
  return comparisons;
}

/** The theory in one line, of the policies there are. @param {readonly Result[]} results */
export function theoryOf(results) {
  const ran = results.map(({ policy }) => policy);
  const middle = ran.filter((policy) => policy === 'invalidate' || policy === 'write-through').join(', ');
  const parts = [ran.includes('ttl') ? 'ttl' : '', middle, ran.includes('strict') ? 'strict = 0' : ''];
  return parts.filter(Boolean).join(' > ');
}

/** Without `strict` nothing is broken. @param {readonly Result[]} results */
export const promiseOfStrictKept = (results) =>
  results.every(({ policy, stale, inversions }) => policy !== 'strict' || (stale.reads === 0 && inversions === 0));
