// @ts-check
import { AsyncLocalStorage } from 'node:async_hooks';
import vm from 'node:vm';
import { ModernFakeTimers } from '@jest/fake-timers';
import { ModuleMocker } from 'jest-mock';
import { WorkerServices } from '../services/worker-services.mjs';

/** Lives as long as this Jest worker: Jest loads this module once per worker, and the modules of a test once per file. */
const services = new WorkerServices();

/**
 * Stands for the context that this process runs in, which Node names by no object: code for it is compiled here. Jest gives
 * every file a context of its own, and then no package could serve two files, for an `Error` of one is no `Error` of the other.
 */
const thisContext = vm.createContext();
/** A module is a function, and is compiled once: each file that loads it calls the function anew. By the module's path. */
const compiled = /** @type {Map<string | undefined, { code: string, module: Function }>} */ (new Map());
const { compileFunction } = vm;
vm.compileFunction = (code, parameters, { parsingContext, ...options } = {}) => {
  if (parsingContext !== thisContext) return compileFunction(code, parameters, { ...options, parsingContext });
  const before = compiled.get(options.filename);
  if (before?.code === code) return before.module;
  const module = compileFunction(code, parameters, options);
  compiled.set(options.filename, { code, module });
  return module;
};

/** Before Node 24 every promise asks every storage that was ever used: those of files that have ended would be asked on. */
const storages = /** @type {Set<AsyncLocalStorage<unknown>>} */ (new Set());
const { run } = AsyncLocalStorage.prototype;
AsyncLocalStorage.prototype.run = function (/** @type {Parameters<typeof run>} */ ...given) {
  storages.add(this);
  return run.apply(this, given);
};

/**
 * Runs the test files of a worker one after the other in the context of the worker, so that they share packages
 * (`runtime.mjs`), one PostgreSQL and one Redis, which start when a file first asks for them. What a file adds to the global
 * object, to `process` or to its environment ends with the file. With the option `test` it runs only the tests whose name
 * contains that text; `env` is added to the file's environment.
 *
 * @implements {JestEnvironment}
 */
export default class WorkerEnvironment {
  /** @type {{ test?: string, env?: object }} */
  #options;
  #restore = remember();
  global = /** @type {JestEnvironment['global']} */ (/** @type {unknown} */ (globalThis));
  moduleMocker = new ModuleMocker(globalThis);
  fakeTimers = null;

  /** @param {import('@jest/environment').JestEnvironmentConfig} config */
  constructor({ projectConfig }) {
    this.#options = projectConfig.testEnvironmentOptions;
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
  }

  async setup() {
    Object.assign(globalThis, { workerServices: services });
    Object.assign(process.env, this.#options.env);
  }

  async teardown() {
    this.fakeTimersModern.dispose();
    for (const storage of storages) storage.disable();
    storages.clear();
    this.#restore();
  }

  getVmContext() {
    return thisContext;
  }

  exportConditions() {
    return ['node', 'node-addons'];
  }

  /** @param {{ readonly name: string }} event @param {{ testNamePattern?: RegExp | null }} state */
  handleTestEvent({ name }, state) {
    const { test } = this.#options;
    if (name === 'run_start' && test) state.testNamePattern = new RegExp(escape(test));
  }
}

/** @param {string} text */
const escape = (text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** @returns {() => void} makes the global object, `process` and its environment what they were when this was called */
function remember() {
  const globals = new Map(Reflect.ownKeys(globalThis).map((key) => [key, propertyOf(key)]));
  const env = { ...process.env };
  const { exit } = process;
  const listeners = new Set(process.eventNames().flatMap((name) => process.rawListeners(name)));

  return () => {
    for (const key of Reflect.ownKeys(globalThis)) {
      const before = globals.get(key);
      if (!before) Reflect.deleteProperty(globalThis, key);
      else if (propertyOf(key)?.value !== before.value) Object.defineProperty(globalThis, key, before);
    }
    for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
    Object.assign(process.env, env);
    process.exit = exit;
    for (const name of process.eventNames())
      for (const listener of process.rawListeners(name))
        if (!listeners.has(listener)) process.off(name, /** @type {() => void} */ (listener));
  };
}

/** @param {string | symbol} key */
const propertyOf = (key) => Object.getOwnPropertyDescriptor(globalThis, key);

/** @typedef {import('@jest/environment').JestEnvironment} JestEnvironment */
