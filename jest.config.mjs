// ESM packages compiled to CommonJS on the fly, so that Jest runs everywhere Node >= 20.19 does.
const esm = [
  '@nestjs',
  'cache-manager',
  'keyv',
  'hookified',
  '@cacheable',
  'uid',
  'load-esm',
  'file-type',
  'iterare',
  'lru-cache',
  '@keyv',
  'uint8array-extras',
  'strtok3',
  'token-types',
  '@tokenizer',
  '@borewit',
  // CommonJS with an import() in it.
  '@opentelemetry/otlp-exporter-base',
];

/** With `STRATA_MUTANT=<name>`, one guard of the product is switched off while it is compiled: see test/mutation. */
const compiler = process.env.STRATA_MUTANT ? '<rootDir>/test/mutation/transformer.mjs' : '@swc/jest';

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // A limit for what hangs, generous to a busy machine; nothing is timed by it.
  testTimeout: 60_000,
  // One file at a time: transaction ids are the whole server's, so a test that holds one open holds back every other's fills.
  maxWorkers: 1,
  rootDir: '.',
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testRegex: '\\.(spec|e2e-spec)\\.ts$',
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1.ts', '$1.js'] },
  transform: {
    '^.+\\.(ts|js|mjs)$': [
      compiler,
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'commonjs', ignoreDynamic: false },
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esm.join('|')})/)`],
};
