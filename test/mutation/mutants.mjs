// @ts-check
import { acknowledgementMutants } from './mutants/acknowledgements.mjs';
import { decisionMutants } from './mutants/decisions.mjs';
import { levelMutants } from './mutants/levels.mjs';
import { scriptMutants } from './mutants/scripts.mjs';
import { switchMutants } from './mutants/switches.mjs';
import { writerMutants } from './mutants/writers.mjs';

/**
 * The product with one guard switched off.
 * @typedef {object} Mutant
 * @property {string} name
 * @property {string} guard what is switched off
 * @property {string} file below `src`
 * @property {string} find occurs exactly once; a mutant that does not fit the source any more fails loudly
 * @property {string} replace
 * @property {readonly string[]} by who is asked to catch it, in this order: setups of the simulation, or spec files
 * @property {string} [depth] why nobody has to catch it: another guard says the same (defence in depth)
 */

/** @type {readonly Mutant[]} */
export const mutants = [
  ...levelMutants,
  ...decisionMutants,
  ...writerMutants,
  ...acknowledgementMutants,
  ...switchMutants,
  ...scriptMutants,
];
