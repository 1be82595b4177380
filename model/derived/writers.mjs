// @ts-check
import { begin, end, snapshotOf } from '../world/postgres.mjs';
import { put } from '../row/state.mjs';

/** @typedef {import('./state.mjs').DerivedConfig} DerivedConfig */
/** @typedef {import('./state.mjs').DerivedState} DerivedState */
/** @typedef {import('./state.mjs').Writer} Writer */
/** @typedef {import('../protocol.mjs').Protocol} Protocol */
/** @typedef {import('../engine.mjs').Step<DerivedState>} Step */

/** The coarse tag of the row part: nobody touches it here. */
export const coarse = { stamp: '', pend: [], fence: [], ff: 0, tickets: {} };

/**
 * Writers of several tags. They fence tag by tag, which the product does in one script: no two tags need be in one slot.
 * @param {DerivedConfig} config @param {Protocol} protocol
 */
export function derivedWritersOf(config, { decisions, rules }) {
  /** @param {DerivedState} state @param {number} i @param {Partial<Writer>} change @returns {DerivedState} */
  const withWriter = (state, i, change) => {
    const writer = /** @type {Writer} */ (state.writers[i]);
    return { ...state, writers: put(state.writers, i, { ...writer, ...change }) };
  };

  /** A FENCE of one tag, or with no record of a generation nothing. @param {DerivedState} state @param {number} i @param {number} tag */
  function fence(state, i, tag) {
    const { xid, stamp } = /** @type {Writer} */ (state.writers[i]);
    const made = `stamp ${state.fresh}`;
    const fenced = decisions.fenced(state.tags[tag], xid, Math.min(xid, ...state.pg.running), made);
    const next = { ...state, fresh: state.fresh + 1, tags: put(state.tags, tag, fenced) };
    return withWriter(next, i, { stamp: tag === 0 ? made : stamp });
  }

  /** @param {DerivedState} state @param {number} i @returns {DerivedState} */
  function commit(state, i) {
    const { xid, tags } = /** @type {Writer} */ (state.writers[i]);
    const { moves } = /** @type {DerivedConfig['writers'][number]} */ (config.writers[i]);
    // What it truly changes: the list that the row is in, whatever the writer believes.
    const changed = moves === undefined ? tags : [state.location, moves];
    const db = state.db.map((version, tag) => (changed.includes(tag) ? version + 1 : version));
    const versions = db.map((version, tag) => (changed.includes(tag) ? version : 0));
    const pg = end(state.pg, xid, undefined, i);
    return withWriter({ ...state, pg, db, location: moves ?? state.location }, i, { versions });
  }

  /** @param {DerivedState} state @param {number} i */
  const acknowledged = (state, i) => {
    const { versions } = /** @type {Writer} */ (state.writers[i]);
    return { ...state, acked: state.acked.map((version, tag) => Math.max(version, versions[tag] ?? 0)) };
  };

  /** @param {Writer} writer @param {'strict' | 'invalidate' | 'ttl'} kind @returns {readonly (string | number)[]} numbers: fence that tag */
  const programOf = ({ tags, early }, kind) =>
    kind === 'strict' || early
      ? [
          'begin',
          'lock',
          ...tags,
          'commit',
          ...(kind === 'strict' && tags.includes(0) && config.cached === 'row' ? ['release'] : []),
        ]
      : ['begin', 'lock', 'commit', ...(kind === 'ttl' ? [] : tags)];

  /** A load and a FILL of the row part. @param {DerivedState} state @param {number} i @returns {DerivedState} */
  function release(state, i) {
    const { stamp } = /** @type {Writer} */ (state.writers[i]);
    const [row] = state.tags;
    const snapshot = snapshotOf(state.pg);
    // The ticket that it took behind its FENCE is there for as long as that FENCE is the last.
    const ticketed = row?.stamp === stamp ? { ...row, tickets: { own: coarse.stamp } } : row;
    if (state.gen === 0 || !row || decisions.refuseRowFill(ticketed, coarse, 'own', snapshot, state.beginning))
      return state;
    return { ...state, tags: put(state.tags, 0, decisions.filledRow(row, String(state.db[0]), '', snapshot)) };
  }

  /** @param {DerivedState} state @param {number} i @param {Step} step */
  return function next(state, i, step) {
    const writer = /** @type {Writer} */ (state.writers[i]);
    const { kind, moves } = /** @type {DerivedConfig['writers'][number]} */ (config.writers[i]);
    if (writer.over) return;
    const program = programOf(writer, kind);
    const op = /** @type {string | number} */ (program[writer.step]);
    const last = writer.step === program.length - 1;
    const W = `writer ${i}`;
    /** @param {DerivedState} after */
    const advance = (after, early = writer.early) => {
      const over = { step: writer.step + 1, over: last, early };
      return last ? acknowledged(withWriter(after, i, over), i) : withWriter(after, i, over);
    };
    /** @param {readonly number[]} tags @returns {DerivedState} */
    const changing = (tags) =>
      withWriter(state, i, { tags: [...new Set(tags)].filter((tag) => tag < state.db.length).sort() });

    if (op === 'begin') {
      const { nextXid } = state.pg;
      const believed = moves !== undefined && !rules.rowIsLockedFirst ? changing([state.location, moves]) : state;
      const begun = withWriter({ ...believed, pg: begin(state.pg) }, i, { xid: nextXid });
      step(() => `${W} (${kind}) begins transaction ${nextXid}`, advance(begun));
    } else if (op === 'lock') {
      // The weaker policies send FENCE and COMMIT at once: either order is possible.
      const orders = kind === 'invalidate' ? [false, true] : [false];
      if (moves === undefined)
        return orders.forEach((early) => step(() => `${W} changes ${writer.tags.join()}`, advance(state, early)));
      if (state.pg.lockedBy !== -1) return;
      const certain = rules.rowIsLockedFirst ? changing([state.location, moves]) : state;
      const locked = { ...certain, pg: { ...state.pg, lockedBy: i } };
      const text = `${W} locks the row in list ${state.location}, to move it to ${moves}`;
      for (const early of orders) step(() => text, advance(locked, early));
    } else if (op === 'commit') {
      const committed = commit(state, i);
      step(() => `${W} COMMITS: ${committed.db.join()}`, advance(committed));
      if (!(state.left.rollback ?? 0)) return;
      const left = { ...state.left, rollback: 0 };
      const undone = { ...state, pg: end(state.pg, writer.xid, undefined, i), left };
      // What is pending of it may be said to be over, or stay: both are safe. Here it is said.
      const tags = state.tags.map((tag) => tag && decisions.withoutPending(tag, writer.xid));
      step(() => `${W} ROLLS BACK`, withWriter({ ...undone, tags }, i, { over: true }));
    } else if (op === 'release') {
      step(() => `${W} loads and FILLs the row`, advance(release(state, i)));
    } else if (state.gen !== 0) {
      step(() => `${W} FENCEs tag ${op} with ${writer.xid}`, advance(fence(state, i, Number(op))));
    } else if (kind === 'strict') {
      const pg = end(state.pg, writer.xid, undefined, i);
      step(() => `${W} cannot FENCE: it rolls back`, withWriter({ ...state, pg }, i, { over: true }));
    } else {
      // Nothing that was stored before is there any more.
      step(() => `${W} cannot FENCE`, advance(state));
    }
    if (!(state.left.crash ?? 0) || writer.step === 0) return;
    const pg = state.pg.running.includes(writer.xid) ? end(state.pg, writer.xid, undefined, i) : state.pg;
    const left = { ...state.left, crash: 0 };
    step(() => `${W} CRASHES`, withWriter({ ...state, pg, left }, i, { over: true }));
  };
}
