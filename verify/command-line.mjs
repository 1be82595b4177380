// @ts-check
import { parseArgs } from 'node:util';
import { UsageError } from './command.mjs';

/*
 * What the commands of verify, outages, lab and bench read their options with.
 */

/**
 * As `parseArgs`. @throws {UsageError} naming what nobody knows
 * @template {import('node:util').ParseArgsConfig} T
 * @param {T} config
 */
export function parseCommandLine(config) {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError(/** @type {Error} */ (error).message);
  }
}

/** @param {string | undefined} seed */
export const seedOf = (seed) => seed ?? String(Math.floor(Math.random() * 1e6));

/** @template {string} T @param {string} flag @param {readonly T[]} allowed @param {string} value @returns {T} */
export function oneOf(flag, allowed, value) {
  const found = allowed.find((candidate) => candidate === value);
  if (!found) throw new UsageError(`--${flag}: ${value} is none of ${allowed.join(', ')}`);
  return found;
}

/** @template {string} T @param {string} flag @param {readonly T[]} allowed @param {string} list @returns {T[]} */
export const someOf = (flag, allowed, list) => list.split(',').map((name) => oneOf(flag, allowed, name.trim()));

/** @param {string} flag @param {string | undefined} value @param {number} otherwise @param {number} [least] */
export function whole(flag, value, otherwise, least = 0) {
  if (value === undefined) return otherwise;
  if (!/^\d+$/.test(value) || Number(value) < least)
    throw new UsageError(`--${flag}: ${value} is not a whole number from ${least}`);
  return Number(value);
}

/** @param {string} flag @param {string | undefined} value @param {number} otherwise */
export const count = (flag, value, otherwise) => whole(flag, value, otherwise, 1);

/** Scenarios by their names. @param {readonly string[]} names @param {readonly string[]} known */
export function checkNames(names, known) {
  for (const name of names) if (!known.includes(name)) throw new UsageError(`${name} is none of ${known.join(', ')}`);
}
