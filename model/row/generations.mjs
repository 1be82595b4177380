// @ts-check
import { begin, end, snapshotOf } from '../world/postgres.mjs';
import { emptySet } from '../world/redis.mjs';
import { answering, identityOf, spent, withNode, withSet } from './state.mjs';

/** @typedef {import('./state.mjs').RowState} RowState */
/** @typedef {import('./state.mjs').NodeState} NodeState */
/** @typedef {import('../protocol.mjs').Rules} Rules */
/** @typedef {import('../engine.mjs').Step<RowState>} Step */

/**
 * How a node connects: it compares identities, adopts the generation, or installs a new one in three steps (the right
 * to, the epoch, the record), between which anything may happen.
 * @param {Rules} rules
 */
export function generationsOf(rules) {
  /** @param {RowState} state */
  const identity = ({ primary, promotions }) =>
    identityOf(primary === 0 ? 'A' : 'B', promotions, rules.promotionIsSeen);

  /** Takes the right to install. @param {RowState} state @param {number} at @returns {RowState | undefined} */
  function claim(state, at) {
    const set = answering(state);
    if (set.init !== 0) return undefined;
    const claimed = { ...set, init: at + 1, gen: rules.oldGenIsVoidedFirst ? 0 : set.gen };
    return withNode(withSet(state, claimed), at, { gen: 0, installing: 1 });
  }

  /** @param {RowState} state @param {number} at @returns {RowState} */
  function takeEpoch(state, at) {
    if (!rules.epochIsFreshId) return withNode(state, at, { installing: 2, epoch: snapshotOf(state.pg).xmax });
    const epoch = state.pg.nextXid;
    return withNode({ ...state, pg: end(begin(state.pg), epoch, undefined) }, at, { installing: 2, epoch });
  }

  /** @param {RowState} state @param {number} at @param {number} epoch @returns {RowState} */
  function install(state, at, epoch) {
    const set = answering(state);
    const done = withNode(state, at, { installing: 0, epoch: 0 });
    if (rules.initIsOwned && set.init !== at + 1) return done;
    const gen = state.gens + 1;
    const begun = withSet(done, { ...emptySet(set.id), fresh: set.fresh, gen, epoch, identity: identity(state) });
    return withNode({ ...begun, gens: gen }, at, { gen });
  }

  /** @param {RowState} state @param {number} at @param {Step} step */
  return function next(state, at, step) {
    const { gen, installing, epoch, cut } = /** @type {NodeState} */ (state.nodes[at]);
    const set = answering(state);
    if (cut) return;
    if (installing === 1) {
      return step(
        () => `node ${at} takes the epoch ${rules.epochIsFreshId ? state.pg.nextXid : snapshotOf(state.pg).xmax}`,
        takeEpoch(state, at),
      );
    }
    if (installing === 2) {
      return step(() => `node ${at} installs generation ${state.gens + 1}`, install(state, at, epoch));
    }
    if (gen === 0 && set.gen !== 0 && set.identity === identity(state)) {
      return step(() => `node ${at} connects to generation ${set.gen}`, withNode(state, at, { gen: set.gen }));
    }
    if (gen !== 0 && !(state.left.clear ?? 0)) return;
    const claimed = claim(state, at);
    if (!claimed) return;
    if (gen === 0) return step(() => `node ${at} is to install a generation`, claimed);
    step(() => `node ${at} is asked to clear everything`, spent(claimed, 'clear'));
  };
}
