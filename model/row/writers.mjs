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

/** @type {Readonly<Record<string, readonly At[]>>} */
const programs = {
  strict: ['begin', 'lock', 'fence', 'ticket', 'commit', 'load', 'release'],
  'write-through': ['begin', 'lock', 'ticket', 'commit', 'load', 'store'],
  invalidate: ['begin', 'lock', 'commit', 'fence'],
  ttl: ['begin', 'lock', 'commit'],
  raw: ['begin', 'lock', 'commit'],
  'ttl bulk': ['begin', 'lock', 'commit'],
  'strict bulk': ['begin', 'lock', 'fence', 'commit'],
  'write-through bulk': ['begin', 'lock', 'commit', 'fence'],
  'invalidate bulk': ['begin', 'lock', 'commit', 'fence'],
};
/** Of a writer that loads before it has the right to fill. */
const ticketLate = /** @type {const} */ (['begin', 'lock', 'fence', 'commit', 'load', 'ticket', 'release']);

/**
 * The steps of the commit planner, policy by policy. The last one answers the client: sooner than the product can, which
 * is the harder case.
 * @param {RowConfig} config @param {Protocol} protocol
 * @param {ReturnType<import('../world/redis.mjs').scriptsOf>} scripts
 */
export function writersOf(config, { rules }, scripts) {
  /** @param {number} i @returns {RowConfig['writers'][number]} */
  const configOf = (i) => /** @type {RowConfig['writers'][number]} */ (config.writers[i]);
  /** @param {number} i */
  const programOf = (i) => {
    const { kind, bulk } = configOf(i);
    if (kind === 'strict' && !bulk && !rules.ticketBeforeLoad) return ticketLate;
    return /** @type {readonly At[]} */ (programs[bulk ? `${kind} bulk` : kind]);
  };
  /** @param {number} i @param {At} at @returns {At} */
  const after = (i, at) =>
    (programOf(i).includes(at) ? programOf(i)[programOf(i).indexOf(at) + 1] : undefined) ?? 'done';
  /** @param {number} i @returns {readonly Name[]} */
  const fencedBy = (i) => (configOf(i).bulk ? ['coarse'] : ['row']);

  /** Goes on; the last step of its program tells the client. @param {RowState} state @param {number} i @param {Partial<Writer>} change */
  const advance = (state, i, change = {}, at = after(i, /** @type {Writer} */ (state.writers[i]).at)) => {
    const next = withWriter(state, i, { ...change, at });
    return at === 'done' ? acknowledged(next, /** @type {Writer} */ (next.writers[i])) : next;
  };

  /** Whether a transaction of this policy may begin now. @param {RowState} state @param {number} i */
  const mayBegin = (state, i) =>
    !config.switches || configOf(i).kind === 'raw' || (configOf(i).kind === 'strict') === state.switched > 0;

  /** @param {RowState} state @param {number} i @param {Step} step */
  function next(state, i, step) {
    const writer = /** @type {Writer} */ (state.writers[i]);
    const { kind, node = 0 } = configOf(i);
    const { at, xid, xmin, value, nonce, loaded, snapshot } = writer;
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
        return step(
          () => `${W} locks the row and changes it: ${current(state.pg)} -> ${change.value}`,
          advance({ ...state, pg: { ...state.pg, lockedBy: i } }, i, change),
        );
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
        if (busy) return;
        return kind === 'strict' ? fenceOrFail(state, i, writer, step) : fenceOrKeep(state, i, writer, step);
      }
      case 'commit': {
        const pg = end(state.pg, xid, value, i);
        // Out-of-band SQL promises nothing to anybody.
        const acks = kind !== 'raw' && writer.acks;
        return step(() => `${W} COMMITS ${value}`, advance({ ...state, pg }, i, { acks }));
      }
      case 'release':
      case 'store': {
        if (busy) return;
        if (nonce === '' || !snapshot) {
          if (at === 'store') return fenceOrKeep(state, i, writer, step);
          return step(() => `${W} fills nothing`, advance(state, i));
        }
        /** @param {import('./state.mjs').DataSet} set */
        const run = (set) =>
          at === 'store'
            ? scripts.fenceAndFill(set, nonce, snapshot, loaded, { xid, xmin })
            : scripts.fillRow(set, nonce, snapshot, loaded);
        // A ticket of another generation is none: there write-through fences, and nothing else.
        const ran = send(state, rules, at === 'store' ? { node } : { node, gen: writer.gen }, run);
        if (ran.answer === undefined && at === 'store') return fenceOrKeep(state, i, writer, step);
        step(() => `${W} ${at}s ${loaded}: ${ran.answer ? 'stored' : 'not stored'}`, advance(ran.state, i));
        if (!(state.left.late ?? 0) || ran.answer === undefined) return;
        const late = {
          gen: state.nodes[node]?.gen ?? 0,
          text: `${at} of ${loaded} by transaction ${xid} ${snapshotKey(snapshot)}`,
          run: (/** @type {import('./state.mjs').DataSet} */ set) => run(set)[0],
          key: (/** @type {readonly import('./state.mjs').DataSet[]} */ sets) => ticketKey(sets, nonce),
        };
        const given = { ...spent(state, 'late'), late };
        const kept = at === 'store' ? journalled(given, i, writer) : given;
        return step(() => `${W}'s ${at} gets no answer in time`, advance(kept, i));
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

  /** The weaker policies, after COMMIT: what cannot be sent is kept for later. @param {RowState} state @param {number} i @param {Writer} writer @param {Step} step */
  function fenceOrKeep(state, i, writer, step) {
    const { node = 0 } = configOf(i);
    const { xid, xmin } = writer;
    const names = fencedBy(i);
    const ran = send(state, rules, { node }, (set) => scripts.fence(set, names, xid, xmin));
    if (ran.answer) return step(() => `writer ${i} FENCEs ${names.join()} with ${xid}`, advance(ran.state, i));
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
