// @ts-check
import { begin, end } from '../world/postgres.mjs';
import { emptySet } from '../world/redis.mjs';
import { answering, identityOf, spent, withNode, withSet } from './state.mjs';

/** @typedef {import('./state.mjs').RowState} RowState */
/** @typedef {import('./state.mjs').NodeState} NodeState */
/** @typedef {import('../world/redis.mjs').Beginning} Beginning */
/** @typedef {import('../protocol.mjs').Rules} Rules */
/** @typedef {import('../engine.mjs').Step<RowState>} Step */

/**
 * How a node connects: it compares identities, adopts the generation, or installs a new one in three steps (the right
 * to, the epoch, the record), between which anything may happen.
 * @param {import('./state.mjs').RowConfig} config
 * @param {Rules} rules
 */
export function generationsOf(config, rules) {
  /** @param {RowState} state */
  const identity = ({ primary, promotions }) =>
    identityOf(primary === 0 ? 'A' : 'B', promotions, rules.promotionIsSeen);

  /** Those that hold the policy lock: SQL past the application takes none. @param {RowState} state */
  const runningWriters = ({ writers, pg }) =>
    writers.flatMap(({ xid }, i) => (config.writers[i]?.kind !== 'raw' && pg.running.includes(xid) ? [xid] : []));

  /** Takes the right to install. @param {RowState} state @param {number} at @returns {RowState | undefined} */
  function claim(state, at) {
    const set = answering(state);
    if (set.init !== 0) return undefined;
    const claimed = { ...set, init: at + 1, gen: rules.oldGenIsVoidedFirst ? 0 : set.gen };
    return withNode(withSet(state, claimed), at, { gen: 0, installing: 1 });
  }

  /** @param {RowState} state @param {number} at @returns {RowState} */
  function takeEpoch(state, at) {
    const epoch = state.pg.nextXid;
    const beginning = { epoch, writers: rules.runningWritersAreListed ? runningWriters(state) : [] };
    return withNode({ ...state, pg: end(begin(state.pg), epoch, undefined) }, at, { installing: 2, beginning });
  }

  /** @param {RowState} state @param {number} at @param {Beginning} beginning @returns {RowState} */
  function install(state, at, beginning) {
    const set = answering(state);
    const done = withNode(state, at, { installing: 0, beginning: undefined });
    if (rules.initIsOwned && set.init !== at + 1) return done;
    const gen = state.gens + 1;
    const begun = withSet(done, { ...emptySet(set.id), fresh: set.fresh, gen, beginning, identity: identity(state) });
    return withNode({ ...begun, gens: gen }, at, { gen });
  }

  /** @param {RowState} state @param {number} at @param {Step} step */
  return function next(state, at, step) {
    const { gen, installing, beginning, cut } = /** @type {NodeState} */ (state.nodes[at]);
    const set = answering(state);
    if (cut) return;
    if (installing === 1) {
      return step(
        () =>
          `node ${at} takes the epoch ${state.pg.nextXid}, while ${runningWriters(state).join() || 'nobody'} writes`,
        takeEpoch(state, at),
      );
    }
    if (installing === 2 && beginning) {
      return step(() => `node ${at} installs generation ${state.gens + 1}`, install(state, at, beginning));
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
