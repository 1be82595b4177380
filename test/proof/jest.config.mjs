import base from '../../jest.config.mjs';

/** What proves rather than tests: live runs and exhaustive checks, one at a time. `npm run proof` runs them all. */
export default { ...base, rootDir: '../..', testRegex: '\\.proof\\.ts$', maxWorkers: 1 };
