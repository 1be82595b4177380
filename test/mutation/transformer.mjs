// @ts-check
import swcJest from '@swc/jest';
import { mutants } from './mutants.mjs';
import { mutate } from './source.mjs';

/**
 * Compiles the product with one of its guards switched off: that of the option `mutant`.
 * @param {import('@swc/core').Options & { mutant?: string }} options
 */
export function createTransformer({ mutant: name, ...options }) {
  const mutant = mutants.find((one) => one.name === name);
  const swc = /** @type {Required<ReturnType<typeof swcJest.createTransformer>>} */ (
    swcJest.createTransformer(options)
  );
  /** @param {string} source @param {string} path */
  const changed = (source, path) => (mutant && path.endsWith(`/${mutant.file}`) ? mutate(source, mutant) : source);
  return {
    ...swc,
    /** @type {typeof swc.process} */
    process: (source, path, details) => swc.process(changed(source, path), path, details),
    /** @type {typeof swc.getCacheKey} */
    getCacheKey: (source, path, details) => swc.getCacheKey(changed(source, path), path, details),
  };
}

export default { createTransformer };
