import base, { compiled, compilerOptions } from '../../jest.config.mjs';

/** One run for all questions of a hunt: see hunt.mjs. */
export default {
  ...base,
  rootDir: '../..',
  runner: '<rootDir>/test/mutation/runner.mjs',
  reporters: [['<rootDir>/test/mutation/answers.mjs', { file: process.env.STRATA_ANSWERS }]],
  transform: { [compiled]: ['<rootDir>/test/mutation/transformer.mjs', compilerOptions] },
};
