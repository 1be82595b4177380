// @ts-check

/*
 * Who can miss a guard. Each says where to look, and `hunt.mjs` looks there.
 */

/**
 * @typedef {{ readonly kind: 'simulation', readonly setup: string, readonly seed: number, readonly schedules: number }} Simulation
 * @typedef {{ readonly kind: 'spec', readonly file: string, readonly test: string, readonly config?: string }} Spec
 * @typedef {{ readonly kind: 'model', readonly configurations: readonly string[] }} Model
 * @typedef {{ readonly kind: 'rule', readonly guard: string }} Rule
 * @typedef {Simulation | Spec | Model | Rule} Catcher
 */

/**
 * The product over simulated servers: schedule after schedule from a seed, until one shows what must not be.
 * @param {'strict' | 'acknowledged' | 'switching' | 'write-through' | 'invalidate' | 'ttl'} setup
 * @param {{ seed?: number, schedules?: number }} [options]
 * @returns {Catcher}
 */
export const simulated = (setup, { seed = 1, schedules = 4_000 } = {}) => ({
  kind: 'simulation',
  setup,
  seed,
  schedules,
});

/**
 * A claim of a spec, on real servers where it needs any.
 * @param {string} file below `test`, without `.ts`
 * @param {string} [test] part of its name
 * @returns {Catcher}
 */
export const spec = (file, test = '') => ({ kind: 'spec', file: `test/${file}.ts`, test });

/**
 * A schedule of the simulation that is written down, step by step.
 * @param {string} test part of its name
 * @param {'guards' | 'found'} [where]
 * @returns {Catcher}
 */
export const scripted = (test, where = 'guards') => ({
  kind: 'spec',
  file: `test/simulation/${where}.spec.ts`,
  test,
  config: 'test/simulation/jest.config.mjs',
});

/**
 * The model, exhaustively, with the mutated decisions. For decisions only.
 * @param {readonly string[]} configurations by name
 * @returns {Catcher}
 */
export const explored = (...configurations) => ({ kind: 'model', configurations });

/**
 * The model without the same rule, where the rule is an order of steps rather than a decision.
 * @param {string} guard as the model calls it
 * @returns {Catcher}
 */
export const ruled = (guard) => ({ kind: 'rule', guard });

/** @param {Catcher} catcher */
export function nameOf(catcher) {
  switch (catcher.kind) {
    case 'simulation':
      return `simulation: ${catcher.setup}, seed ${catcher.seed}`;
    case 'spec':
      return `spec: ${catcher.file.replace(/^test\//, '')}${catcher.test && `: ${catcher.test}`}`;
    case 'model':
      return `model: ${catcher.configurations.join('; ')}`;
    case 'rule':
      return `model, without the rule: ${catcher.guard}`;
  }
}
