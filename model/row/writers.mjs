// @ts-check
import { begin, current, end, snapshotOf } from '../world/postgres.mjs';
import { acknowledged, send, withWriter } from './commands.mjs';
import { snapshotKey, spent, ticketKey, withNode } from './state.mjs';

/** @typedef {import('./state.mjs').RowConfig} RowConfig */
/** @typedef {import('./state.mjs').RowState} RowState */
/** @typedef {import('./state.mjs').Writer} Writer */
/** @typedef {import('./state.mjs').NodeState} NodeState */
/** @typedef {import('./state.mjs').Name} Name */
/** @typedef {import('../protocol.mjs').Protocol} Protocol */
/** @typedef {import('../engine.mjs').Step<RowState>} Step */
/** @typedef {Writer['at']} At */

/**
 * Strict fences before it commits. The weaker policies send both at once: either order is possible.
 * @type {Readonly<Record<'fence first' | 'commit first' | 'plain', readonly At[]>>}
 */
const programs = {
  'fence first': ['begin', 'lock', 'fence', 'ticket', 'commit', 'load', 'release'],
  'commit first': ['begin', 'lock', 'commit', 'fence', 'ticket', 'load', 'release'],
  plain: ['begin', 'lock', 'commit'],
};
/** What stores the row once it has committed. @type {readonly At[]} */
const storing = ['ticket', 'load', 'release'];
/** Of a writer that loads before it has the right to fill. */
const ticketLate = /** @type {const} */ (['begin', 'lock', 'fence', 'commit', 'load', 'ticket', 'release']);

/**
 * The steps of the commit planner, policy by policy. The client is answered as soon as the write is committed and, but for
 * strict, fenced: sooner than the product does, which is the harder case.
 * @param {RowConfig} config @param {Protocol} protocol
 * @param {ReturnType<import('../world/redis.mjs').scriptsOf>} scripts
 */
export function writersOf(config, { rules }, scripts) {
  /** @param {number} i @returns {RowConfig['writers'][number]} */
  const configOf = (i) => /** @type {RowConfig['writers'][number]} */ (config.writers[i]);
  /** @param {number} i */
  const isWeak = (i) => ['invalidate', 'write-through'].includes(configOf(i).kind);
  /** @param {number} i @param {boolean} early @returns {readonly At[]} */
  const programOf = (i, early) => {
    const { kind, bulk } = configOf(i);
    if (kind === 'ttl' || kind === 'raw') return programs.plain;
    if (kind === 'strict' && !bulk && !rules.ticketBeforeLoad) return ticketLate;
    const program = programs[kind === 'strict' || early ? 'fence first' : 'commit first'];
    return bulk || kind === 'invalidate' ? program.filter((at) => !storing.includes(at)) : program;
  };
  /** @param {number} i @param {At} at @param {boolean} early @returns {At} */
  const after = (i, at, early) => programOf(i, early)[programOf(i, early).indexOf(at) + 1] ?? 'done';
  /** @param {number} i @returns {readonly Name[]} */
  const fencedBy = (i) => (configOf(i).bulk ? ['coarse'] : ['row']);

  /** Goes on, and tells the client where nothing but loading is left. @param {RowState} state @param {number} i @param {Partial<Writer>} change */
  const advance = (state, i, change = {}, to = /** @type {At | undefined} */ (undefined)) => {
    const writer = { .../** @type {Writer} */ (state.writers[i]), ...change };
    const at = to ?? after(i, writer.at, writer.early);
    const next = withWriter(state, i, { ...change, at });
    const answered = at === 'done' || at === 'load' || (at === 'ticket' && !writer.early && isWeak(i));
    return answered ? acknowledged(next, /** @type {Writer} */ (next.writers[i])) : next;
  };

  /** Whether a transaction of this policy may begin now. @param {RowState} state @param {number} i */
  const mayBegin = (state, i) =>
    !config.switches || configOf(i).kind === 'raw' || (configOf(i).kind === 'strict') === state.switched > 0;

  /** @param {RowState} state @param {number} i @param {Step} step */
  function next(state, i, step) {
    const writer = /** @type {Writer} */ (state.writers[i]);
    const { kind, node = 0 } = configOf(i);
    const { at, xid, value, nonce, loaded, snapshot } = writer;
    const W = `writer ${i}`;
    const busy = state.nodes[node]?.gen !== 0 && (state.nodes[node]?.journal.length ?? 0) > 0;
    switch (at) {
      case 'begin': {
        if (!mayBegin(state, i)) return;
        const pg = begin(state.pg);
        return step(
          () => `${W} (${kind}) begins transaction ${state.pg.nextXid}`,
          advance({ ...state, pg }, i, { xid: state.pg.nextXid }),
        );
      }
      case 'lock': {
        if (state.pg.lockedBy !== -1) return;
        const change = { xmin: Math.min(...state.pg.running), value: current(state.pg) | (1 << i) };
        const locked = { ...state, pg: { ...state.pg, lockedBy: i } };
        const text = `${W} locks the row and changes it: ${current(state.pg)} -> ${change.value}`;
        step(() => text, advance(locked, i, change));
        if (isWeak(i))
          step(() => `${text}; its FENCE overtakes its COMMIT`, advance(locked, i, { ...change, early: true }));
        return;
      }
      case 'ticket': {
        const ticket = `t${state.tickets}`;
        const ran = send(state, rules, { node }, (set) => scripts.getRow(set, ticket, true));
        const taken = ran.answer ? { nonce: ticket, gen: state.nodes[node]?.gen ?? 0 } : {};
        const next = { ...ran.state, tickets: state.tickets + 1 };
        return step(() => `${W} takes a ticket`, advance(next, i, taken));
      }
      case 'load': {
        if (nonce === '' && rules.ticketBeforeLoad) return step(() => `${W} has no ticket`, advance(state, i));
        const read = { loaded: current(state.pg), snapshot: snapshotOf(state.pg) };
        return step(
          () => `${W} loads ${read.loaded} (snapshot ${snapshotKey(read.snapshot)})`,
          advance(state, i, read),
        );
      }
      case 'fence': {
        // What is asked of a node that has a journal waits behind that; a COMMIT does not wait for it.
        if (busy && writer.early)
          return step(() => `${W} COMMITs first`, advance(state, i, { early: false }, 'commit'));
        if (busy) return;
        return kind === 'strict' ? fenceOrFail(state, i, writer, step) : fenceOrKeep(state, i, writer, step);
      }
      case 'commit': {
        const pg = end(state.pg, xid, value, i);
        // Out-of-band SQL promises nothing to anybody.
        const acks = kind !== 'raw' && writer.acks;
        return step(() => `${W} COMMITS ${value}`, advance({ ...state, pg }, i, { acks }));
      }
      case 'release': {
        if (busy) return;
        if (nonce === '' || !snapshot) return step(() => `${W} fills nothing`, advance(state, i));
        /** @param {import('./state.mjs').DataSet} set */
        const run = (set) => scripts.fillRow(set, nonce, snapshot, loaded);
        const ran = send(state, rules, { node, gen: writer.gen }, run);
        step(() => `${W} fills ${loaded}: ${ran.answer ? 'stored' : 'not stored'}`, advance(ran.state, i));
        if (!(state.left.late ?? 0) || ran.answer === undefined) return;
        const late = {
          gen: state.nodes[node]?.gen ?? 0,
          text: `FILL ${loaded} by transaction ${xid} ${snapshotKey(snapshot)}`,
          run: (/** @type {import('./state.mjs').DataSet} */ set) => run(set)[0],
          key: (/** @type {readonly import('./state.mjs').DataSet[]} */ sets) => ticketKey(sets, nonce),
        };
        return step(() => `${W}'s FILL gets no answer in time`, advance({ ...spent(state, 'late'), late }, i));
      }
      case 'undo': {
        const ran = send(state, rules, { node }, (set) => [
          fencedBy(i).reduce((changed, name) => scripts.rolledBack(changed, name, xid), set),
          true,
        ]);
        return step(() => `${W} says that it rolled back`, withWriter(ran.state, i, { at: 'done' }));
      }
      case 'replay': {
        const { cut, journal } = /** @type {NodeState} */ (state.nodes[node]);
        if (!cut && journal.some((entry) => entry.xid === xid)) return;
        return step(() => `${W} is answered`, advance(state, i, {}, 'done'));
      }
      case 'done':
    }
  }

  /** Strict, before COMMIT: without a FENCE the transaction fails. @param {RowState} state @param {number} i @param {Writer} writer @param {Step} step */
  function fenceOrFail(state, i, { xid, xmin }, step) {
    const { node = 0 } = configOf(i);
    const names = fencedBy(i);
    const ran = send(state, rules, { node }, (set) => scripts.fence(set, names, xid, xmin));
    const W = `writer ${i}`;
    if (ran.answer) {
      step(() => `${W} FENCEs ${names.join()} with ${xid}`, advance(ran.state, i));
      if (!(state.left.late ?? 0)) return;
      const late = {
        gen: state.nodes[node]?.gen ?? 0,
        text: `FENCE ${xid}`,
        run: (/** @type {import('./state.mjs').DataSet} */ set) => scripts.fence(set, names, xid, xmin)[0],
        key: () => '',
      };
      const failed = failedWriter({ ...spent(state, 'late'), late }, i, xid);
      return step(() => `${W}'s FENCE gets no answer in time: it rolls back`, failed);
    }
    if (!rules.strictNeedsRedis) return step(() => `${W} cannot FENCE`, advance(ran.state, i));
    step(() => `${W} cannot FENCE: it rolls back`, failedWriter(ran.state, i, xid));
  }

  /** @param {RowState} state @param {number} i @param {number} xid */
  const failedWriter = (state, i, xid) =>
    withWriter({ ...state, pg: end(state.pg, xid, undefined, i) }, i, { at: 'done', acks: false });

  /** The weaker policies: what cannot be sent is kept for later, once it is committed. @param {RowState} state @param {number} i @param {Writer} writer @param {Step} step */
  function fenceOrKeep(state, i, writer, step) {
    const { node = 0 } = configOf(i);
    const { xid, xmin, early, acks } = writer;
    const names = fencedBy(i);
    const ran = send(state, rules, { node }, (set) => scripts.fence(set, names, xid, xmin));
    // Nobody loads what may not have been committed.
    const to = acks ? undefined : 'done';
    if (ran.answer) return step(() => `writer ${i} FENCEs ${names.join()} with ${xid}`, advance(ran.state, i, {}, to));
    if (early) return step(() => `writer ${i} cannot FENCE yet`, advance(ran.state, i, { early: false }, 'commit'));
    // A node that can connect again answers its client behind the replay.
    const waits = rules.answerWaitsForReplay && !state.nodes[node]?.cut;
    const kept = journalled(withNode(ran.state, node, { gen: 0 }), i, writer);
    step(() => `writer ${i} cannot FENCE: journal`, advance(kept, i, {}, waits ? 'replay' : 'done'));
  }

  /** @param {RowState} state @param {number} i @param {Writer} writer */
  function journalled(state, i, { xid, xmin }) {
    const { node = 0 } = configOf(i);
    if (!rules.journalIsReplayedFirst) return withNode(state, node, { gen: 0 });
    const journal = [...(state.nodes[node]?.journal ?? []), { names: fencedBy(i), xid, xmin }];
    return withNode(state, node, { gen: 0, journal });
  }

  return { next, configOf, fencedBy };
}
