// @ts-check
import { createRequire } from 'node:module';

const { default: TestRunner } = createRequire(import.meta.url)('jest-runner');

/**
 * One question to a spec: does it fail when a guard is switched off?
 * @typedef {object} LaneRequest
 * @property {string} name of the mutant
 * @property {string} file of the spec, relative to the root
 * @property {string} test part of a test's name; '' asks all of them
 * @property {Readonly<Record<string, string>>} env
 */

/**
 * A Jest runner that runs a spec once per question, each time with another guard switched off. All questions share the
 * workers and their servers, and the compiled sources that no mutant changes.
 */
export default class MutantRunner extends TestRunner {
  /** @param {readonly any[]} tests @param {unknown} watcher @param {unknown} options */
  runTests(tests, watcher, options) {
    /** @type {readonly LaneRequest[]} */
    const questions = JSON.parse(process.env.STRATA_QUESTIONS ?? '[]');
    const asked = questions.map((question, nth) => {
      const test = tests.find(({ path }) => path.replaceAll('\\', '/').endsWith(`/${question.file}`));
      if (!test) throw new Error(`there is no ${question.file}`);
      return { ...test, context: { ...test.context, config: configFor(test.context.config, question, nth) } };
    });
    return super.runTests(asked, watcher, options);
  }
}

/** @param {any} config @param {LaneRequest} question @param {number} nth */
const configFor = (config, { name, test, env }, nth) => ({
  ...config,
  displayName: { name: String(nth), color: 'white' },
  transform: config.transform.map((/** @type {any} */ [pattern, path, options]) => [
    pattern,
    path,
    { ...options, mutant: name },
  ]),
  testEnvironmentOptions: { test, env: { ...env, STRATA_MUTANT: name } },
});
