// @ts-check
import { acknowledgementMutants } from './mutants/acknowledgements.mjs';
import { changeMutants } from './mutants/changes.mjs';
import { decisionMutants } from './mutants/decisions.mjs';
import { feedMutants } from './mutants/feed.mjs';
import { generationMutants } from './mutants/generations.mjs';
import { laneMutants } from './mutants/lane.mjs';
import { localMutants } from './mutants/local.mjs';
import { namespaceMutants } from './mutants/namespaces.mjs';
import { readerMutants } from './mutants/readers.mjs';
import { responseMutants } from './mutants/responses.mjs';
import { rowScriptMutants } from './mutants/row-scripts.mjs';
import { scriptMutants } from './mutants/scripts.mjs';
import { switchMutants } from './mutants/switches.mjs';
import { writerMutants } from './mutants/writers.mjs';
import { writeMutants } from './mutants/writes.mjs';

/**
 * The product with one guard switched off.
 * @typedef {object} Mutant
 * @property {string} name
 * @property {string} guard what is switched off
 * @property {string} file the source; a mutant that does not fit it any more fails loudly
 * @property {string} find occurs exactly once
 * @property {string} replace
 * @property {readonly import('./catchers.mjs').Catcher[]} by who is asked to miss it, in this order
 * @property {string} [depth] why nobody misses it: another guard says the same (defence in depth). Then everybody is asked,
 *   and one of them must have searched exhaustively
 */

/** @type {readonly Mutant[]} */
export const mutants = unique([
  ...decisionMutants,
  ...rowScriptMutants,
  ...scriptMutants,
  ...generationMutants,
  ...readerMutants,
  ...responseMutants,
  ...localMutants,
  ...laneMutants,
  ...writerMutants,
  ...changeMutants,
  ...writeMutants,
  ...acknowledgementMutants,
  ...switchMutants,
  ...namespaceMutants,
  ...feedMutants,
]);

/** @param {readonly Mutant[]} all */
function unique(all) {
  const names = all.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new Error(`two mutants are called ${twice}`);
  return all;
}
