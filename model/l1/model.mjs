// @ts-check
import { without } from '../without.mjs';
import { begin, current, end, snapshotOf } from '../world/postgres.mjs';
import { emptySet, scriptsOf, stampsOf } from '../world/redis.mjs';
import { put } from '../row/state.mjs';
import { leaseOf } from './lease.mjs';
import { initialL1, l1Key } from './state.mjs';

/** @typedef {import('./state.mjs').L1Config} L1Config */
/** @typedef {import('./state.mjs').L1State} L1State */
/** @typedef {import('./state.mjs').Writer} Writer */
/** @typedef {import('./state.mjs').Flight} Flight */
/** @typedef {import('../engine.mjs').Step<L1State>} Step */

/**
 * Under the weaker policies FENCE and COMMIT are sent at once, so that either comes first.
 * @type {Readonly<Record<L1Config['kind'], Readonly<Record<'early' | 'late', readonly Writer['at'][]>>>>}
 */
const programs = {
  invalidate: { early: ['begin', 'fence', 'commit'], late: ['begin', 'commit', 'fence'] },
  'write-through': {
    early: ['begin', 'fence', 'commit', 'load', 'release'],
    late: ['begin', 'commit', 'fence', 'load', 'release'],
  },
  strict: { early: ['begin', 'send', 'fence', 'wait', 'commit', 'load', 'release'], late: [] },
};

/**
 * One node with an L1, its lease and its clock; L2 and the database as everywhere. Under the weaker policies L1 may be
 * as old as the lease; in acknowledged mode it is to be linearizable.
 *
 * Time comes in ticks, the same for everybody but for a machine that sleeps; messages arrive in order, after any delay.
 * Not modelled: clocks of different speed (the margin is for them), more nodes with an L1 (each is waited for by itself),
 * derived entries in L1, a wall clock that is set back while the machine sleeps. An installer that dies is one that never
 * installs.
 * @param {L1Config} config
 * @param {import('../protocol.mjs').Protocol} protocol
 * @returns {import('../engine.mjs').Model<L1State>}
 */
export function l1Model(config, protocol) {
  const { rules } = protocol;
  const scripts = scriptsOf(protocol);
  const lease = leaseOf(config, rules);

  /** @param {L1State} state */
  const lastAcked = ({ acked }) => Math.max(0, ...acked.map(({ version }) => version));

  /** @param {L1State} state @param {number} i @param {Step} step */
  function write(state, i, step) {
    const writer = /** @type {Writer} */ (state.writers[i]);
    const { at, early, xid, value, nonce, loaded, snapshot } = writer;
    // The row's lock: one after another.
    if (at === 'done' || state.writers.some((earlier, n) => n < i && ['begin', 'commit'].includes(earlier.at))) return;
    if (at === 'begin' && state.writers.some((other, n) => n < i && state.pg.running.includes(other.xid))) return;
    const W = `writer ${i}`;
    const program = programs[config.kind][early ? 'early' : 'late'];
    const xmin = Math.min(xid, ...state.pg.running);
    /** The client is answered once the write is committed and fenced. @param {L1State} after @param {Partial<Writer>} [change] @returns {L1State} */
    const advance = (after, change = {}, to = program[program.indexOf(at) + 1] ?? 'done') => {
      const version = after.pg.history.indexOf(value);
      const answered = to === (program.includes('load') ? 'load' : 'done');
      const acked = answered ? [...after.acked, { version, at: state.now }] : after.acked;
      const next = { .../** @type {Writer} */ (after.writers[i]), ...change, at: to };
      return { ...after, acked, writers: put(after.writers, i, next) };
    };
    if (at === 'begin') {
      const change = { xid: state.pg.nextXid, value: current(state.pg) | (1 << i) };
      const begun = { ...state, pg: begin(state.pg) };
      step(() => `${W} changes the row to ${change.value}`, advance(begun, change));
      if (config.kind === 'strict') return;
      const [, first] = programs[config.kind].early;
      const overtaking = { ...change, early: true };
      step(() => `${W} changes the row; its FENCE overtakes its COMMIT`, advance(begun, overtaking, first));
    } else if (at === 'load') {
      const read = { loaded: current(state.pg), snapshot: snapshotOf(state.pg) };
      step(() => `${W} loads ${read.loaded}`, advance(state, read));
    } else if (at === 'send') {
      step(() => `${W} sends FENCE`, advance(state, { sentAt: state.now }));
    } else if (state.set.gen === 0 && at !== 'wait' && at !== 'commit') {
      // Strict fails, and is tried again. After a COMMIT, it is answered before anybody knows how long it would take.
      if (config.kind === 'strict' && at !== 'release') return;
      if (at === 'fence' && early)
        return step(() => `${W} cannot FENCE yet`, advance(state, { early: false }, 'commit'));
      const kept = at === 'release' ? state.kept : [...state.kept, i];
      step(() => `${W}'s ${at} meets no generation`, advance({ ...state, kept }));
    } else if (at === 'fence') {
      const [fenced] = scripts.fence(state.set, ['row'], xid, xmin);
      // The ticket comes with the fence.
      const ticket = `t${state.tickets}`;
      const stores = program.includes('release');
      const [set] = stores ? scripts.getRow(fenced, ticket, true) : [fenced];
      const beats = config.acknowledged && state.registered ? state.beats : -1;
      const told = lease.publish({ ...state, set, tickets: state.tickets + 1 }, i);
      const change = { repliedAt: state.now, beats, nonce: stores ? ticket : '' };
      step(() => `${W}'s FENCE is executed`, advance(told, change));
    } else if (at === 'wait') {
      const since = rules.waitsFromReply ? writer.repliedAt : writer.sentAt;
      const over = state.now - since >= config.lease;
      // It does not know yet which nodes may hold something.
      const young = rules.youngGenerationWaits && writer.repliedAt - state.bornAt < config.lease;
      if (rules.writerWaits && (young || (writer.beats !== -1 && !writer.heard)) && !over) return;
      const silent = writer.beats !== -1 && !writer.heard && over;
      const removed = silent && (!rules.removalIsConditional || writer.beats === state.beats);
      const next = removed ? { ...state, registered: false } : state;
      step(() => `${W} has waited${removed ? ', and removes the node' : ''}`, advance(next));
    } else if (at === 'commit') {
      step(() => `${W} COMMITS ${value}`, advance({ ...state, pg: end(state.pg, xid, value) }));
    } else if (snapshot) {
      const [set, stored] = scripts.fillRow(state.set, nonce, snapshot, loaded);
      step(() => `${W} fills: ${stored}`, advance({ ...state, set }));
    }
    if (!state.left.crash || at === 'begin') return;
    const pg = state.pg.running.includes(xid) ? end(state.pg, xid, undefined) : state.pg;
    const writers = put(state.writers, i, { ...writer, at: /** @type {const} */ ('done') });
    step(() => `${W} CRASHES`, { ...state, pg, writers, left: { ...state.left, crash: 0 } });
  }

  /** @param {L1State} state @param {number} value @param {{ readonly min: number, readonly seen: number }} asked */
  function judge(state, value, { min, seen }) {
    const version = state.pg.history.indexOf(value);
    return (version < min ? 'R' : '') + (version < seen ? 'A' : '') + (version === -1 ? 'P' : '');
  }

  /** @param {L1State} state @param {number} value @returns {L1State} */
  const returned = (state, value) => ({ ...state, seen: Math.max(state.seen, state.pg.history.indexOf(value)) });

  /** What L1 returns may be as old as the lease, unless it is acknowledged. @param {L1State} state @param {number} value */
  function judgeL1(state, value) {
    if (config.acknowledged) return judge(state, value, { min: lastAcked(state), seen: state.seen });
    const version = state.pg.history.indexOf(value);
    const tooOld = state.acked.some((write) => version < write.version && state.now - write.at >= config.lease);
    return (tooOld ? 'S' : '') + (version === -1 ? 'P' : '');
  }

  /** @param {L1State} state @param {Step} step */
  function read(state, step) {
    const { entry, flight } = state;
    if (state.reads > 0 && !flight) {
      const usable = entry && (entry.term === state.term || !rules.termIsChecked) && lease.valid(state);
      const asked = { min: lastAcked(state), seen: state.seen };
      const next = { ...state, reads: state.reads - 1 };
      if (usable && entry) {
        const broken = judgeL1(state, entry.value);
        step(() => `the node's L1 returns ${entry.value} at ${state.now}`, returned(next, entry.value), broken);
      } else {
        const kept = state.term !== 0 ? entry : undefined;
        /** @type {Flight} */
        const begun = {
          ...asked,
          at: kept ? 'confirm' : 'get',
          term: state.term,
          voided: false,
          nonce: '',
          value: kept?.value ?? 0,
          accepted: false,
          stamps: kept?.stamps ?? { stamp: '', coarse: '' },
        };
        step(
          () => `a read on the node registers a placeholder and sends ${kept ? 'the stamps of what L1 kept' : 'GET'}`,
          { ...next, flight: begun },
        );
      }
    }
    if (flight) fly(state, flight, step);
  }

  /** The answer of a flight, kept in L1 where it may be. @param {L1State} state @param {Flight} flight @param {boolean} proven @param {Step} step */
  function land(state, { term, voided, value, min, seen, stamps }, proven, step) {
    const rest = without(state, 'flight');
    const kept = proven && term !== 0 && !voided && (term === state.term || !rules.termIsChecked);
    const next = kept ? { ...rest, entry: { value, term: rules.termIsChecked ? term : state.term, stamps } } : rest;
    const broken =
      config.kind === 'strict' ? judge(state, value, { min, seen }) : judge(state, value, { min, seen: 0 });
    step(() => `the node's read returns ${value}${kept ? ' and keeps it in L1' : ''}`, returned(next, value), broken);
  }

  /** @param {L1State} state @param {Flight} flight @param {Step} step */
  function fly(state, flight, step) {
    const { at, nonce, value, snapshot, accepted } = flight;
    if (at === 'confirm') {
      const holds = scripts.confirms(state.set, flight.stamps) || !rules.confirmsByStamps;
      const next = { ...flight, at: holds ? /** @type {const} */ ('hit') : /** @type {const} */ ('get') };
      step(() => `the stamps ${holds ? 'still hold' : 'do not hold'}`, { ...state, flight: next });
    } else if (at === 'get' && state.set.gen === 0) {
      const next = { ...flight, at: /** @type {const} */ ('missed') };
      step(() => 'GET meets no generation', { ...state, gen: 0, flight: next });
    } else if (at === 'get') {
      const ticket = `t${state.tickets}`;
      const [set, found] = scripts.getRow(state.set, ticket);
      const tickets = state.tickets + 1;
      const next =
        found.hit === undefined
          ? { at: /** @type {const} */ ('missed'), nonce: ticket }
          : { at: /** @type {const} */ ('hit'), value: found.hit, stamps: stampsOf(set) };
      step(() => `GET is executed: ${found.hit ?? 'miss'}`, { ...state, set, tickets, flight: { ...flight, ...next } });
    } else if (at === 'missed') {
      const loaded = { at: /** @type {const} */ ('fill'), value: current(state.pg), snapshot: snapshotOf(state.pg) };
      step(() => `the node loads ${loaded.value}`, { ...state, flight: { ...flight, ...loaded } });
    } else if (at === 'fill' && snapshot) {
      const [set, filled] =
        state.set.gen === 0
          ? /** @type {const} */ ([state.set, false])
          : scripts.fillRow(state.set, nonce, snapshot, value);
      const next = { ...flight, at: /** @type {const} */ ('filled'), accepted: filled, stamps: stampsOf(set) };
      step(() => `FILL ${value} is ${filled ? 'accepted' : 'refused'}`, { ...state, set, flight: next });
    } else {
      land(state, flight, at === 'hit' || accepted || !rules.l1TakesAcceptedOnly, step);
    }
  }

  /** A read elsewhere: through L2, kept nowhere. @param {L1State} state @param {Step} step */
  function readPlainly(state, step) {
    if (state.plain === 0) return;
    const found = state.set.gen === 0 ? undefined : scripts.getRow(state.set, 'plain')[1];
    const value = found?.hit ?? current(state.pg);
    const broken = config.kind === 'strict' ? judge(state, value, { min: lastAcked(state), seen: state.seen }) : '';
    step(() => `another node returns ${value}`, returned({ ...state, plain: state.plain - 1 }, value), broken);
  }

  /** A generation ends when the next one is claimed, and begins when that is installed: at any time, or never. @param {L1State} state @param {Step} step */
  function generations(state, step) {
    const { set, pg, left, gen, kept } = state;
    if (left.clear) {
      const ended = { ...emptySet('A'), fresh: set.fresh };
      const claimed = { ...state, set: ended, claimed: true, registered: false, beats: 0, left: { ...left, clear: 0 } };
      step(() => 'a generation is claimed: the one before ends', rules.claimIsTold ? lease.tell(claimed, 0) : claimed);
    }
    if (state.claimed) {
      const begun = { ...set, gen: 2, epoch: pg.nextXid };
      const installed = { ...state, pg: end(begin(pg), pg.nextXid, undefined), set: begun, claimed: false };
      step(() => 'a generation is installed', lease.tell({ ...installed, bornAt: state.now }, 2));
    }
    if (gen === 0 && set.gen !== 0) step(() => 'the node joins the generation', { ...state, gen: set.gen });
    const [i, ...later] = kept;
    if (i === undefined || set.gen === 0) return;
    const { xid } = /** @type {Writer} */ (state.writers[i]);
    const [fenced] = scripts.fence(set, ['row'], xid, Math.min(xid, ...pg.running));
    step(() => `the FENCE of writer ${i} is replayed`, lease.publish({ ...state, set: fenced, kept: later }, i));
  }

  return {
    initial: initialL1(config),
    key: l1Key,
    next: (state, step) => {
      for (const i of state.writers.keys()) write(state, i, step);
      read(state, step);
      readPlainly(state, step);
      lease.next(state, step);
      generations(state, step);
    },
  };
}
