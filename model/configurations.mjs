// @ts-check
import { authorityCases } from './authority/cases.mjs';
import { derivedCases } from './derived/cases.mjs';
import { l1Cases } from './l1/cases.mjs';
import { policyCases } from './policies/cases.mjs';
import { rowCases } from './row/cases.mjs';

/** @typedef {'ttl' | 'invalidate' | 'write-through' | 'strict' | 'strict, L1 acknowledged'} Policy */

/**
 * What is explored, and what must come out of it: exactly the letters of `breaks`, no fewer and no more. So neither can
 * `strict` lose a property nor a weaker policy gain one without the documentation being wrong.
 *  - R: a read begun after a write was acknowledged returns an older version
 *  - A: a read returns an older version than a read that ended before it began
 *  - E: at rest, something old is still served, and nothing is left that would end it but its TTL
 *  - S: L1 returns something that was old for longer than the lease
 *  - P: a value is returned that was never committed
 *  - H: a value is returned that PostgreSQL has lost, later than is said
 * @typedef {object} Configuration
 * @property {string} name
 * @property {Policy} policy
 * @property {string} fault what goes wrong, in words; '' nothing
 * @property {'row' | 'list' | 'L1'} of what is read
 * @property {string} checks letters of the properties that are looked for
 * @property {string} breaks sorted letters
 * @property {boolean} short also in the short form
 * @property {boolean} promised false: outside of what any policy promises; here to show what happens
 * @property {Shape} shape
 */

/**
 * @typedef {{ readonly row: import('./row/state.mjs').RowConfig }
 *   | { readonly derived: import('./derived/state.mjs').DerivedConfig }
 *   | { readonly l1: import('./l1/state.mjs').L1Config }
 *   | { readonly authority: import('./authority/state.mjs').AuthorityConfig }
 *   | { readonly policies: import('./policies/state.mjs').PolicyConfig }} Shape
 */

/** @type {readonly Configuration[]} */
export const configurations = unique([...rowCases, ...derivedCases, ...l1Cases, ...authorityCases, ...policyCases]);

/** Names are what mutants and results refer to. @param {readonly Configuration[]} all */
function unique(all) {
  const names = all.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new Error(`two configurations are called ${twice}`);
  return all;
}
