import base from '../jest.config.mjs';

/**
 * The tests with coverage of `src`: `npm run test:cov`. What only a process of its own runs (`src/main.ts`,
 * `src/migrate.ts`, the process above several workers) counts as not covered.
 *
 * The least that is allowed is one to two points below what unit, integration and end-to-end tests cover without the long
 * ones (simulation, fuzzing, mutants, verify, lab): 96.0 % of statements and lines, 93.9 % of branches, 94.4 % of functions.
 */
export default {
  ...base,
  rootDir: '..',
  collectCoverage: true,
  coverageProvider: 'v8',
  coverageReporters: ['text-summary', 'lcov'],
  collectCoverageFrom: ['src/**/*.ts', '!src/**/*.spec.ts'],
  coverageThreshold: { global: { statements: 95, branches: 92, functions: 93, lines: 95 } },
};
