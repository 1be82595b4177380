// @ts-check
import { authorityModel } from './authority/model.mjs';
import { derivedModel } from './derived/model.mjs';
import { explore } from './engine.mjs';
import { l1Model } from './l1/model.mjs';
import { policyModel } from './policies/model.mjs';
import { mutated } from './mutants.mjs';
import { rules } from './protocol.mjs';
import { rowModel } from './row/model.mjs';

/** @typedef {import('./protocol.mjs').Decisions} Decisions */
/** @typedef {import('./protocol.mjs').Protocol} Protocol */
/** @typedef {import('./configurations.mjs').Configuration} Configuration */
/** @typedef {import('./mutants.mjs').Mutant} Mutant */
/** @typedef {import('./engine.mjs').Bounds} Bounds */
/** @typedef {import('./engine.mjs').Exploration} Exploration */

/**
 * What became of a configuration.
 * @typedef {Pick<Configuration, 'name' | 'policy' | 'fault' | 'of' | 'checks' | 'promised'>
 *   & Pick<Exploration, 'states' | 'depth' | 'exhaustive' | 'broken'>
 *   & { readonly expected: string, readonly ok: boolean }} Explored
 */

/**
 * What became of a mutant. Caught: some configuration broke more than it may.
 * @typedef {object} Hunted
 * @property {string} guard
 * @property {boolean} known see `Mutant`
 * @property {string} caughtBy name of the configuration; '' it survived
 * @property {string} broken what it broke there besides
 * @property {number} states explored in all
 * @property {string} depth why it may survive
 * @property {boolean} ok caught, or survives exhaustively as it is said to
 */

/** @typedef {Exploration['traces']} Traces */

/**
 * @param {Configuration} configuration
 * @param {Protocol} protocol
 * @param {Bounds} [bounds]
 */
function exploreOne({ shape }, protocol, bounds) {
  if ('row' in shape) return explore(rowModel(shape.row, protocol), bounds);
  if ('derived' in shape) return explore(derivedModel(shape.derived, protocol), bounds);
  if ('authority' in shape) return explore(authorityModel(shape.authority, protocol), bounds);
  if ('policies' in shape) return explore(policyModel(shape.policies, protocol), bounds);
  return explore(l1Model(shape.l1, protocol), bounds);
}

/**
 * @param {Configuration} configuration @param {Decisions} decisions @param {Bounds} [bounds]
 * @returns {{ readonly result: Explored, readonly traces: Traces }} traces of everything that broke
 */
export function exploreConfiguration(configuration, decisions, bounds) {
  const { name, policy, fault, of, checks, promised, breaks: expected } = configuration;
  const { states, depth, exhaustive, broken, traces } = exploreOne(configuration, { decisions, rules }, bounds);
  const ok = exhaustive && broken === expected;
  return {
    result: { name, policy, fault, of, checks, promised, states, depth, exhaustive, broken, expected, ok },
    traces,
  };
}

/**
 * @param {Mutant} mutant @param {readonly Configuration[]} configurations @param {Decisions} decisions @param {Bounds} [bounds]
 * @returns {{ readonly result: Hunted, readonly traces: Traces }} traces of what caught it
 */
export function huntMutant(mutant, configurations, decisions, bounds) {
  const { guard, where, depth = '', known = false } = mutant;
  let states = 0;
  let exhaustive = true;
  for (const name of where) {
    const configuration = configurations.find((one) => one.name === name);
    if (!configuration) throw new Error(`${guard}: there is no configuration ${name}`);
    /** @param {string} broken */
    const unexpected = (broken) => [...broken].filter((letter) => !configuration.breaks.includes(letter)).join('');
    const enough = (/** @type {string} */ broken) => unexpected(broken) !== '';
    const found = exploreOne(configuration, mutated(mutant, decisions), { ...bounds, enough });
    states += found.states;
    exhaustive &&= found.exhaustive;
    const broken = unexpected(found.broken);
    if (broken === '') continue;
    const traces = Object.fromEntries(Object.entries(found.traces).filter(([letter]) => broken.includes(letter)));
    return { result: { guard, known, caughtBy: name, broken, states, depth, ok: depth === '' }, traces };
  }
  return {
    result: { guard, known, caughtBy: '', broken: '', states, depth, ok: depth !== '' && exhaustive },
    traces: {},
  };
}
