// @ts-check
import { without } from '../without.mjs';
import { begin, end, snapshotOf } from '../world/postgres.mjs';
import { emptySet } from '../world/redis.mjs';
import { withWriter } from './commands.mjs';
import { answering, put, spent, withNode, withSet } from './state.mjs';

/** @typedef {import('./state.mjs').RowConfig} RowConfig */
/** @typedef {import('./state.mjs').RowState} RowState */
/** @typedef {import('./state.mjs').Writer} Writer */
/** @typedef {import('./state.mjs').Fault} Fault */
/** @typedef {import('./state.mjs').DataSet} DataSet */
/** @typedef {import('../protocol.mjs').Protocol} Protocol */
/** @typedef {import('../engine.mjs').Step<RowState>} Step */

/**
 * What can go wrong, and what happens besides: each as often as the configuration says.
 * @param {RowConfig} config @param {Protocol} protocol
 * @param {ReturnType<import('../world/redis.mjs').scriptsOf>} scripts
 */
export function faultsOf(config, { rules }, scripts) {
  /** @param {RowState} state @param {Fault} fault */
  const may = (state, fault) => (state.left[fault] ?? 0) > 0;

  /** @param {RowState} state @param {number} i @param {Step} step */
  function ofWriter(state, i, step) {
    const writer = /** @type {Writer} */ (state.writers[i]);
    const { at, early, xid, value, hung } = writer;
    const { kind, node = 0 } = /** @type {RowConfig['writers'][number]} */ (config.writers[i]);
    const W = `writer ${i}`;
    const running = state.pg.running.includes(xid) && !hung;
    if (may(state, 'rollback') && at === 'commit') {
      const pg = end(state.pg, xid, undefined, i);
      const undone = withWriter({ ...spent(state, 'rollback'), pg }, i, {
        at: kind === 'strict' || early ? 'undo' : 'done',
        acks: false,
      });
      step(() => `${W} ROLLS BACK`, undone);
    }
    if (may(state, 'unknown') && at === 'commit' && kind !== 'raw') {
      const strict = rules.unknownStaysPending ? 'done' : 'undo';
      const goesOn = kind === 'strict' ? strict : kind === 'ttl' || early ? 'done' : 'fence';
      const unsure = withWriter(spent(state, 'unknown'), i, { at: goesOn, hung: true, acks: false });
      step(() => `${W} sends COMMIT and gets no answer`, unsure);
    }
    if (hung) {
      const ended = withWriter(state, i, { hung: false });
      step(() => `the server commits ${W}: ${value}`, { ...ended, pg: end(state.pg, xid, value, i) });
      step(() => `the server rolls ${W} back`, { ...ended, pg: end(state.pg, xid, undefined, i) });
    }
    if (may(state, 'crash') && at !== 'begin' && at !== 'done' && kind !== 'raw') {
      const pg = running ? end(state.pg, xid, undefined, i) : state.pg;
      const dead = withWriter({ ...spent(state, 'crash'), pg }, i, { at: 'done', acks: false });
      // What it had not replayed dies with the process.
      step(() => `${W} CRASHES`, withNode(dead, node, { journal: [] }));
    }
  }

  /** A FENCE that comes late, once more, from the feed or a journal. @param {RowState} state @param {number} i @param {Step} step */
  function replayed(state, i, step) {
    const { at, xid, xmin, value } = /** @type {Writer} */ (state.writers[i]);
    const set = answering(state);
    const committed = state.pg.history.includes(value);
    // The log has a COMMIT before snapshots see it.
    if (value === 0 || set.gen === 0 || !(committed || (at === 'commit' && !rules.feedWaitsUntilVisible))) return;
    const name = config.writers[i]?.bulk ? 'coarse' : 'row';
    const seenBy = Math.min(xmin, ...state.pg.running);
    const fence = () =>
      rules.replayIsFence ? scripts.fence(set, [name], xid, seenBy)[0] : scripts.invalidate(set, name);
    const bit = 1 << i;
    if (config.feed && !(state.fed & bit)) {
      step(() => `the feed FENCEs ${name} with ${xid}`, { ...withSet(state, fence()), fed: state.fed | bit });
    }
    if (committed && may(state, 'replay')) {
      step(() => `a FENCE of ${name} with ${xid} is replayed`, withSet(spent(state, 'replay'), fence()));
    }
  }

  /** @param {RowState} state @param {Step} step */
  function ofRedis(state, step) {
    const set = answering(state);
    const { id, fresh } = set;
    if (may(state, 'flush')) {
      const flushed = { ...emptySet(id), fresh };
      step(() => 'Redis is FLUSHED', withSet(spent(state, 'flush'), flushed));
    }
    const idle = !rules.pendingNeverExpires || set.row?.pend.length === 0;
    for (const [fault, possible] of /** @type {const} */ ([
      ['expiry', idle],
      ['eviction', true],
    ])) {
      if (!may(state, fault) || !set.row || !possible) continue;
      const kept = without(set, 'row');
      step(() => `the row's hash is lost (${fault})`, withSet(spent(state, fault), kept));
    }
    if (may(state, 'slowInit') && set.init !== 0) {
      step(() => 'the right to install expires', withSet(spent(state, 'slowInit'), { ...set, init: 0 }));
    }
    if (may(state, 'failover')) {
      const next = 1 - state.primary;
      // The first promotion finds a replica's copy, the second one what the old primary had kept.
      const copy = state.promotions === 0 ? { ...set, id: 'B' } : /** @type {DataSet} */ (state.sets[next]);
      const moved = { ...spent(state, 'failover'), primary: next, promotions: state.promotions + 1 };
      const cut = moved.nodes.map((node, i) => {
        const held = !rules.promotionDisconnects && i === 0 && (state.promotions === 0 || node.held === true);
        return { ...node, gen: held ? node.gen : 0, installing: /** @type {0} */ (0), beginning: undefined, held };
      });
      step(() => `server ${next === 0 ? 'A' : 'B'} is promoted, all connections close`, {
        ...moved,
        nodes: cut,
        sets: put(state.sets, next, { ...copy, init: 0 }),
      });
    }
    if (may(state, 'operator') && set.gen !== 0) {
      const name = config.operated ?? 'row';
      const told = withSet(spent(state, 'operator'), scripts.invalidate(set, name));
      const acked = Math.max(state.acked, state.pg.history.length - 1);
      step(() => `an operator invalidates ${name}`, { ...told, acked });
    }
    if (may(state, 'neighbour') && set.gen !== 0) {
      const settled = scripts.settleCoarse(set, snapshotOf(state.pg));
      step(() => 'another row is read and filled', withSet(spent(state, 'neighbour'), settled));
    }
    if (state.late) {
      const { late, ...rest } = state;
      if (!rules.genIsChecked || set.gen === late.gen)
        step(() => `executed late: ${late.text}`, withSet(rest, late.run(set)));
      else step(() => `too late for its generation: ${late.text}`, rest);
    }
  }

  /** @param {RowState} state @param {number} at @param {Step} step */
  function ofNode(state, at, step) {
    const node = /** @type {import('./state.mjs').NodeState} */ (state.nodes[at]);
    // One node of several is cut off; the others are not.
    if (at === 0 && may(state, 'cut') && !node.cut) {
      step(
        () => `node ${at} is cut off from Redis`,
        withNode(spent(state, 'cut'), at, { cut: true, gen: 0, installing: 0 }),
      );
    }
    if (node.cut) step(() => `node ${at} reaches Redis again`, withNode(state, at, { cut: false }));
    const [entry, ...journal] = node.journal;
    if (!entry || node.cut || node.gen === 0) return;
    const set = answering(state);
    if (set.gen !== node.gen) {
      return step(() => `node ${at} finds another generation`, withNode(state, at, { gen: 0 }));
    }
    const [fenced] = scripts.fence(set, entry.names, entry.xid, entry.xmin);
    step(() => `node ${at} replays FENCE ${entry.xid}`, withNode(withSet(state, fenced), at, { journal }));
  }

  /**
   * To strict: all write strictly; all that began before has ended; what it left is made unservable; then it is promised.
   * @param {RowState} state @param {Step} step
   */
  function policySwitch(state, step) {
    const { pg, switched, switchXid: xid } = state;
    if (!config.switches) return;
    const weak = state.writers.some(
      (writer, i) => config.writers[i]?.kind !== 'strict' && pg.running.includes(writer.xid),
    );
    if (switched === 0 && (!weak || !rules.switchWaitsForWriters)) {
      const changed = { ...state, pg: end(begin(pg), pg.nextXid, undefined), switched: /** @type {const} */ (1) };
      step(() => 'the policy becomes strict for every later transaction', { ...changed, switchXid: pg.nextXid });
    }
    const set = answering(state);
    if (switched === 1 && (snapshotOf(pg).xmin > xid || !rules.switchWaitsForAll)) {
      const { beginning } = set;
      const raised = {
        ...set,
        beginning: rules.switchRaisesEpoch ? { ...beginning, epoch: Math.max(beginning.epoch, xid) } : beginning,
      };
      step(() => `the epoch is raised to ${xid}`, { ...withSet(state, raised), switched: 2 });
    }
    if (switched === 2) {
      const fenced = rules.switchFencesAll ? scripts.fence(set, ['coarse'], xid, xid)[0] : set;
      step(() => 'the coarse tag is fenced, strict is promised', { ...withSet(state, fenced), switched: 3 });
    }
  }

  /** @param {RowState} state @param {Step} step */
  return (state, step) => {
    for (const i of state.writers.keys()) {
      ofWriter(state, i, step);
      replayed(state, i, step);
    }
    for (const at of state.nodes.keys()) ofNode(state, at, step);
    ofRedis(state, step);
    policySwitch(state, step);
  };
}
