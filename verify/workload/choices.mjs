// @ts-check
import { doomedPrefix, slowPrefix } from '../schema.mjs';

/** @typedef {import('../random.mjs').Random} Random */

export const categories = /** @type {const} */ (['alpha', 'beta']);

const hotShare = 0.5;
const hotRows = 4;
const moveShare = 0.15;
const doomedShare = 0.3;
const slowShare = 0.5;

/** Half of everything happens to a few rows. @param {readonly number[]} keys @param {Random} random */
export function keyOf(keys, random) {
  return random.chance(hotShare) ? random.pick(keys.slice(0, hotRows)) : random.pick(keys);
}

/** What a write changes: mostly a row stays in its list. @param {readonly number[]} keys @param {Random} random */
export function targetOf(keys, random) {
  const key = keyOf(keys, random);
  const home = categories[key % categories.length] ?? categories[0];
  return { key, category: random.chance(moveShare) ? random.pick(categories) : home };
}

/**
 * How the database is to treat a write, which it tells by the name.
 * @param {{ doomed: boolean, slow: boolean }} mode
 * @param {Random} random
 */
export function temperOf({ doomed, slow }, random) {
  if (doomed && random.chance(doomedShare)) return { prefix: doomedPrefix, doomed: true };
  return { prefix: slow && random.chance(slowShare) ? slowPrefix : '', doomed: false };
}
