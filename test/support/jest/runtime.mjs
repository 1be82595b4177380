// @ts-check
import { createRequire, isBuiltin } from 'node:module';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { default: JestRuntime } = require('jest-runtime');
/** The second imports JSON in a way that Node refuses. */
const leftToJest = /^@?jest[-/]|^@actions\//;
const installed = `${sep}node_modules${sep}`;

/**
 * Loads packages as Node does, once per worker, and the project's own modules as Jest does, once per test file. Loading
 * Nest, TypeORM and what else the service needs takes ten times as long as loading the service itself. A package that a
 * test replaces with `jest.mock`, and some others, are left to Jest.
 */
export default class Runtime extends JestRuntime {
  /** @type {Set<string>} */
  #mocked = new Set();

  /** @override @param {Parameters<InstanceType<typeof JestRuntime>['setMock']>} mock */
  setMock(...mock) {
    this.#mocked.add(mock[1]);
    super.setMock(...mock);
  }

  /** @override @param {string} from @param {string} name */
  requireModuleOrMock(from, name) {
    const isPackage = /^[@\w]/.test(name) && !isBuiltin(name);
    if (!isPackage || this.#mocked.has(name) || leftToJest.test(name)) return super.requireModuleOrMock(from, name);
    return from.includes(installed) ? createRequire(from)(name) : require(fileURLToPath(import.meta.resolve(name)));
  }
}
