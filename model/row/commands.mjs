// @ts-check
import { answering, put, withNode, withSet } from './state.mjs';

/** @typedef {import('./state.mjs').RowState} RowState */
/** @typedef {import('./state.mjs').NodeState} NodeState */
/** @typedef {import('./state.mjs').Writer} Writer */
/** @typedef {import('../world/redis.mjs').DataSet} DataSet */
/** @typedef {import('../protocol.mjs').Rules} Rules */

/**
 * A script sent by a node under a generation, as the product's connection does: not at all while it is not connected,
 * and given up for a new connection when the data set has another generation.
 * @template A
 * @param {RowState} state
 * @param {Rules} rules
 * @param {{ readonly node: number, readonly gen?: number }} caller
 * @param {(set: DataSet) => readonly [DataSet, A]} script
 * @returns {{ readonly state: RowState, readonly answer?: A }} no answer: it failed
 */
export function send(state, rules, { node: at, gen }, script) {
  const node = /** @type {NodeState} */ (state.nodes[at]);
  const set = answering(state);
  if (node.cut || node.gen === 0 || (gen !== undefined && gen !== node.gen)) return { state };
  // A replica refuses every script (READONLY).
  if (node.held && state.primary === 1) return { state: withNode(state, at, { gen: 0, held: false }) };
  if (rules.genIsChecked && set.gen !== node.gen) return { state: withNode(state, at, { gen: 0 }) };
  const [changed, answer] = script(set);
  return { state: changed === set ? state : withSet(state, changed), answer };
}

/** @param {RowState} state @param {number} at @param {Partial<Writer>} change @returns {RowState} */
export function withWriter(state, at, change) {
  const writer = /** @type {Writer} */ (state.writers[at]);
  return { ...state, writers: put(state.writers, at, { ...writer, ...change }) };
}

/** @param {RowState} state @param {Writer} writer whose success the client is told of */
export function acknowledged(state, writer) {
  if (!writer.acks) return state;
  const version = state.pg.history.indexOf(writer.value);
  return version > state.acked ? { ...state, acked: version } : state;
}
