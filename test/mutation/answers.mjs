// @ts-check
import { writeFileSync } from 'node:fs';

/**
 * What a spec answered, in the order of the questions.
 * @typedef {object} SpecAnswer
 * @property {number} failed tests
 * @property {number} ran tests that passed or failed
 * @property {string} error why nothing could run; '' otherwise
 * @property {string} message of the first failed test
 * @property {number} ms
 */

/** A Jest reporter: writes the answers to the file that it is told. */
export default class Answers {
  /** @type {SpecAnswer[]} */
  #answers = [];

  /** @param {unknown} _config @param {{ readonly file: string }} options */
  constructor(_config, { file }) {
    this.file = file;
  }

  /** @param {any} test @param {any} result */
  onTestResult({ context }, { testResults, testExecError, perfStats }) {
    const failures = testResults.filter((/** @type {any} */ { status }) => status === 'failed');
    const passed = testResults.filter((/** @type {any} */ { status }) => status === 'passed').length;
    this.#answers[Number(context.config.displayName.name)] = {
      failed: failures.length,
      ran: failures.length + passed,
      error: testExecError ? String(testExecError.message) : '',
      message: failures[0]?.failureMessages[0] ?? '',
      ms: perfStats.end - perfStats.start,
    };
  }

  onRunComplete() {
    writeFileSync(this.file, JSON.stringify(this.#answers));
  }
}
