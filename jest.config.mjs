import { availableParallelism, totalmem } from 'node:os';

export const compiled = '^.+\\.(ts|js|mjs)$';
export const compilerOptions = {
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'commonjs', ignoreDynamic: false },
};

/** A worker, its servers and the processes that its tests start: so much memory at most, in bytes. */
const memoryPerWorker = 1.5 * 2 ** 30;
const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity);
/** Tests wait about as much as they compute, so two workers for each core. Each has servers of its own. */
const maxWorkers = Math.max(1, Math.min(2 * availableParallelism(), Math.floor(memory / memoryPerWorker)));

/** @type {import('jest').Config} */
export default {
  runtime: '<rootDir>/test/support/jest/runtime.mjs',
  testEnvironment: '<rootDir>/test/support/jest/environment.mjs',
  testSequencer: '<rootDir>/test/support/jest/sequencer.mjs',
  // A limit for what hangs, generous to a busy machine; nothing is timed by it.
  testTimeout: 60_000,
  maxWorkers,
  // Jest keeps something of every file: a worker that has grown beyond this is replaced after its file.
  workerIdleMemoryLimit: '1GB',
  reporters: ['default', '<rootDir>/test/support/slowest-files.mjs'],
  rootDir: '.',
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testRegex: '\\.(spec|e2e-spec)\\.ts$',
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': ['$1.ts', '$1.js'],
    '^@actions/([\\w-]+)$': '<rootDir>/node_modules/@actions/$1/dist/index.js',
    '^@actions/([\\w-]+)/([\\w/-]+)$': '<rootDir>/node_modules/@actions/$1/dist/$2.js',
  },
  transform: { [compiled]: ['@swc/jest', compilerOptions] },
  transformIgnorePatterns: ['/node_modules/(?!@actions/)'],
};
