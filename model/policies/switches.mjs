// @ts-check
import { put } from '../row/state.mjs';
import { lease, told } from './nodes.mjs';
import { none } from './state.mjs';

/** @typedef {import('./state.mjs').PolicyConfig} PolicyConfig */
/** @typedef {import('./state.mjs').PolicyState} PolicyState */
/** @typedef {import('./state.mjs').Row} Row */
/** @typedef {import('./state.mjs').Switch} Switch */
/** @typedef {import('../protocol.mjs').Rules} Rules */
/** @typedef {import('../engine.mjs').Step<PolicyState>} Step */

/** @param {Row} a @param {Row} b */
const isSame = (a, b) =>
  a.policy === b.policy && a.promised === b.promised && a.target === b.target && a.revision === b.revision;

/**
 * The steps of a switch, each a change of the row as it was when the step was decided on: `src/invalidation/policies/policy-switch.ts`
 * and `policy-store.ts`.
 * @param {PolicyConfig} config @param {Rules} rules
 */
export function switchesOf(config, rules) {
  /** @param {PolicyState} state @param {number} i @param {Partial<Switch>} change @returns {PolicyState} */
  const withSwitch = (state, i, change) => ({
    ...state,
    switches: put(state.switches, i, { .../** @type {Switch} */ (state.switches[i]), ...change }),
  });

  /** Where the row has changed meanwhile, the step comes to nothing. @param {PolicyState} state @param {number} i @param {Partial<Row>} change @param {Switch['at']} otherwise */
  function changed(state, i, change, otherwise) {
    const { row } = /** @type {Switch} */ (state.switches[i]);
    if (rules.stepNamesTheRow && !isSame(state.row, row)) return withSwitch(state, i, { at: otherwise });
    const next = { ...state.row, ...change, revision: state.row.revision + 1 };
    return withSwitch(told({ ...state, row: next }, 'policies'), i, { at: 'look' });
  }

  /** Bits of the transactions that are running. @param {PolicyState} state */
  const running = ({ writers }) => writers.reduce((bits, writer, i) => (writer.running ? bits | (1 << i) : bits), 0);

  /** Those who have heard, or whose lease has run out, are all. @param {PolicyState} state @param {number} i */
  const announced = (state, i) =>
    withSwitch(told(state, 'policies'), i, { at: 'wait', until: rules.switchWaitsForLeases ? state.now + lease : 0 });

  /** @param {PolicyState} state @param {number} i @param {Step} step */
  return function next(state, i, step) {
    const { at, row, until, before } = /** @type {Switch} */ (state.switches[i]);
    const to = /** @type {import('./state.mjs').Policy} */ (config.switches[i]);
    const S = `switch ${i} (to ${to})`;
    const { policy, promised, target } = row;
    switch (at) {
      case 'aim':
        return step(() => `${S} reads the row`, withSwitch(state, i, { at: 'aiming', row: state.row }));
      case 'aiming':
        return step(() => `${S} aims`, changed(state, i, { target: to }, 'aim'));
      case 'look': {
        const { row: found } = state;
        if (found.target !== to) return step(() => `${S} is superseded`, withSwitch(state, i, { at: 'done' }));
        if (found.policy === to && found.promised === to)
          return step(() => `${S} has ended`, withSwitch(state, i, { at: 'done' }));
        return step(
          () => `${S} looks: ${found.policy}, promised ${found.promised}`,
          withSwitch(state, i, { at: 'step', row: found }),
        );
      }
      case 'step': {
        if (promised === 'strict' && target !== 'strict' && rules.promisesLessFirst)
          return step(() => `${S} promises ${target}`, changed(state, i, { promised: target }, 'look'));
        if (policy !== target && policy === 'strict')
          return step(() => `${S} announces, before writers do less`, announced(state, i));
        if (policy !== target) return writers(state, i, S, step);
        const drained = { at: /** @type {const} */ ('forget'), before: running(state) };
        return step(() => `${S} waits for what is running`, withSwitch(state, i, drained));
      }
      case 'forget': {
        if (rules.switchWaitsForAll && (running(state) & before) !== 0) return;
        const { l2 } = state;
        const forgotten = rules.switchFencesAll
          ? told({ ...state, l2: { ...l2, value: none, stamp: l2.stamp + 1 } }, 'invalidation')
          : state;
        if (target === 'strict')
          return step(() => `${S} makes all that is cached unservable, and announces`, announced(forgotten, i));
        return step(() => `${S} promises ${target}`, changed(forgotten, i, { promised: target }, 'look'));
      }
      case 'wait':
        if (state.now < until) return;
        if (policy !== target) return writers(state, i, S, step);
        return step(() => `${S} promises ${target}`, changed(state, i, { promised: target }, 'look'));
      case 'done':
    }
  };

  /** Once every writer of the policy before has ended. @param {PolicyState} state @param {number} i @param {string} S @param {Step} step */
  function writers(state, i, S, step) {
    const { target } = /** @type {Switch} */ (state.switches[i]).row;
    if (rules.switchWaitsForWriters && state.writers.some(({ locks }) => locks)) return;
    const less = rules.promisesLessFirst ? {} : { promised: target };
    step(() => `${S} makes writers ${target}`, changed(state, i, { policy: target, ...less }, 'look'));
  }
}
