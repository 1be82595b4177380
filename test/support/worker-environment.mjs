// @ts-check
import { TestEnvironment } from 'jest-environment-node';
import { WorkerServices } from './services/worker-services.mjs';

/** Lives as long as this Jest worker: Jest loads this module once per worker, and the modules of a test once per file. */
const services = new WorkerServices();

/**
 * Gives every test file of a worker the same PostgreSQL and Redis, which start when a file first asks for them. With the
 * option `test` it runs only the tests whose name contains that text; `env` is added to the file's environment.
 */
export default class WorkerEnvironment extends TestEnvironment {
  #options;

  /** @param {ConstructorParameters<typeof TestEnvironment>} args */
  constructor(...args) {
    super(...args);
    this.#options = /** @type {{ test?: string, env?: object }} */ (args[0].projectConfig.testEnvironmentOptions);
  }

  /** @override */
  async setup() {
    await super.setup();
    Object.assign(this.global, { workerServices: services });
    Object.assign(this.global.process.env, this.#options.env);
  }

  /** @param {{ readonly name: string }} event @param {{ testNamePattern?: RegExp | null }} state */
  handleTestEvent({ name }, state) {
    const { test } = this.#options;
    if (name === 'run_start' && test) state.testNamePattern = new RegExp(escape(test));
  }
}

/** @param {string} text */
const escape = (text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
