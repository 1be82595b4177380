// @ts-check
import { authorityKnown, authorityMutants } from './authority/mutants.mjs';
import { listMutants } from './derived/mutants.mjs';
import { l1Mutants } from './l1/mutants.mjs';
import { policyMutants } from './policies/mutants.mjs';
import { rules } from './protocol.mjs';
import { rowMutants } from './row/mutants.mjs';
import { rowRuleMutants } from './row/rule-mutants.mjs';

/** @typedef {import('./protocol.mjs').Decisions} Decisions */
/** @typedef {import('./protocol.mjs').Protocol} Protocol */

/**
 * The protocol with one guard switched off. Some configuration must then break more than it may.
 * @typedef {object} Mutant
 * @property {string} guard what is switched off
 * @property {Partial<import('./protocol.mjs').Rules>} [rules]
 * @property {(decisions: Decisions) => Partial<Decisions>} [decisions]
 * @property {readonly string[]} where configurations that are to catch it, by name
 * @property {string} [depth] why it survives: another guard says the same. It is listed, with what was explored
 * @property {boolean} [long] takes more than a few thousand states: not in the short form
 * @property {boolean} [known] not a guard but a rule that was in use, or assumed, and is wrong
 */

const row = 'strict: row';

/** Rules that were in use or were assumed, and that the model has shown to be wrong. @type {readonly Mutant[]} */
const known = [
  {
    guard: 'the old generation stays valid until the new one is installed',
    rules: { oldGenIsVoidedFirst: false },
    where: [`${row}, an operator clears everything`],
  },
  {
    guard: 'connections outlive a promotion',
    rules: { promotionDisconnects: false },
    where: [`${row}, failover and back (two nodes)`],
  },
  {
    guard: 'L1: a generation is told of when it is installed, and a PING keeps the lease',
    rules: { claimIsTold: false, heartbeatProvesGeneration: false },
    where: ['invalidate: L1, an operator clears everything'],
  },
  {
    guard: 'L1: only a sleep of a whole lease counts',
    rules: { sleepIsSubtracted: false },
    where: ['write-through: L1, a machine that sleeps'],
  },
  {
    guard: "L1: the clocks are compared from the heartbeat's answer on",
    rules: { sleepFromSent: false },
    where: ['write-through: L1, a machine that sleeps'],
  },
];

/** @type {readonly Mutant[]} */
export const mutants = [
  ...rowMutants,
  ...rowRuleMutants,
  ...listMutants,
  ...l1Mutants,
  ...authorityMutants,
  ...policyMutants,
  ...[...known, ...authorityKnown].map((mutant) => ({ ...mutant, known: true })),
];

/** @param {Mutant} mutant whether the short form can afford it */
export const isQuick = ({ long = false, depth }) => !long && depth === undefined;

/** @param {Mutant} mutant @param {Decisions} decisions @returns {Protocol} */
export const mutated = (mutant, decisions) => ({
  decisions: { ...decisions, ...mutant.decisions?.(decisions) },
  rules: { ...rules, ...mutant.rules },
});
