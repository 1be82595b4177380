// @ts-check
import swcJest from '@swc/jest';
import { mutants } from './mutants.mjs';

/** The test-only build flag: with `STRATA_MUTANT=<name>`, Jest compiles the product with one of its guards switched off. */
const mutant = mutants.find(({ name }) => name === process.env.STRATA_MUTANT);

/**
 * @param {string} source
 * @param {{ name: string, find: string, replace: string }} mutant
 * @throws {Error} where the guard is not what it was when the mutant was written
 */
export function mutate(source, { name, find, replace }) {
  const places = source.split(find).length - 1;
  if (places !== 1) throw new Error(`mutant ${name} is stale: what it replaces occurs ${places} times`);
  return source.replace(find, () => replace);
}

/** @param {import('@swc/core').Options} options */
export function createTransformer(options) {
  const swc = /** @type {Required<ReturnType<typeof swcJest.createTransformer>>} */ (
    swcJest.createTransformer(options)
  );
  /** @param {string} path */
  const concerns = (path) => mutant !== undefined && path.endsWith(mutant.file);
  /** @param {string} source @param {string} path */
  const mutated = (source, path) => (mutant && concerns(path) ? mutate(source, mutant) : source);
  return {
    ...swc,
    /** @type {typeof swc.process} */
    process: (source, path, details) => swc.process(mutated(source, path), path, details),
    /** @type {typeof swc.getCacheKey} */
    getCacheKey: (source, path, details) => swc.getCacheKey(mutated(source, path), path, details),
  };
}

export default { createTransformer };
