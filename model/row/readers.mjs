// @ts-check
import { current, onStandby, snapshotOf, snapshotWithin } from '../world/postgres.mjs';
import { send } from './commands.mjs';
import { idle, put, snapshotKey, spent, ticketKey } from './state.mjs';

/** @typedef {import('./state.mjs').RowConfig} RowConfig */
/** @typedef {import('./state.mjs').RowState} RowState */
/** @typedef {import('./state.mjs').Reader} Reader */
/** @typedef {import('../protocol.mjs').Protocol} Protocol */
/** @typedef {import('../engine.mjs').Step<RowState>} Step */

/**
 * A read of the row through L2: GET, load, FILL. It begins with the GET and ends with the FILL (or the hit), which is the
 * harder case: a read that begins later may expect more, one that ends sooner binds more of the others.
 * @param {RowConfig} config @param {Protocol} protocol
 * @param {ReturnType<import('../world/redis.mjs').scriptsOf>} scripts
 */
export function readersOf(config, { rules }, scripts) {
  const flights = (config.faults?.join ?? 0) > 0;

  /** @param {RowState} state @param {number} i @param {Partial<Reader>} change @returns {RowState} */
  const withReader = (state, i, change) => {
    const reader = /** @type {Reader} */ (state.readers[i]);
    return { ...state, readers: put(state.readers, i, { ...reader, ...change }) };
  };

  /** What a read that begins now has to return at least. @param {RowState} state */
  const demands = ({ acked, seen }) => ({ min: acked, seen });

  /** @param {RowState} state @param {number} i @param {number} value @param {string} how @param {Step} step */
  function answer(state, i, value, how, step) {
    const reader = /** @type {Reader} */ (state.readers[i]);
    const version = state.pg.history.indexOf(value);
    const callers = [reader, ...(reader.joined ? [reader.joined] : [])];
    const stale = callers.some(({ min }) => version < min) ? 'R' : '';
    const inverted = callers.some(({ seen }) => version < seen) ? 'A' : '';
    const broken = reader.judged ? stale + inverted + (version === -1 ? 'P' : '') : '';
    const ended = /** @type {const} */ ({ ...idle, at: 'idle', left: reader.left - 1 });
    const next = { ...state, readers: put(state.readers, i, ended) };
    const seen = reader.judged ? Math.max(state.seen, version) : state.seen;
    step(() => `reader ${i} ${how} ${value}`, { ...next, seen }, broken);
  }

  /** @param {RowState} state @param {number} i @param {Step} step */
  function get(state, i, step) {
    const { node = 0 } = /** @type {RowConfig['readers'][number]} */ (config.readers[i]);
    const nonce = `t${state.tickets}`;
    const ran = send(state, rules, { node }, (set) => scripts.getRow(set, nonce));
    const { answer: found } = ran;
    if (!found)
      return step(() => `reader ${i} cannot ask Redis`, withReader(ran.state, i, { at: 'missed', nonce: '' }));
    if (found.hit === undefined) {
      const ticket = { nonce, gen: state.nodes[node]?.gen ?? 0 };
      const next = withReader({ ...ran.state, tickets: state.tickets + 1 }, i, { at: 'missed', ...ticket });
      return step(() => `reader ${i} misses and takes a ticket`, next);
    }
    const { hit } = found;
    if (!flights) return answer(ran.state, i, hit, 'hits', step);
    step(() => `reader ${i}'s GET finds ${hit}`, withReader(ran.state, i, { at: 'answering', value: hit }));
  }

  /** @param {RowState} state @param {number} i @param {Step} step */
  function load(state, i, step) {
    const { nonce } = /** @type {Reader} */ (state.readers[i]);
    const value = current(state.pg);
    if (nonce === '' && !flights) return answer(state, i, value, 'loads (no ticket)', step);
    const snapshot = snapshotOf(state.pg);
    step(
      () => `reader ${i} loads ${value} (snapshot ${snapshotKey(snapshot)})`,
      withReader(state, i, { at: 'loaded', value, snapshot }),
    );
    if (!config.unproven) return;
    for (let replayed = 0; replayed < state.pg.ended.length; replayed += 1)
      loadUnproven(state, i, onStandby(state.pg, replayed), 'from a standby', step);
    for (const { xid, value: own } of state.writers.filter(
      (writer) => state.pg.running.includes(writer.xid) && writer.value,
    )) {
      const within = { value: own, snapshot: snapshotWithin(state.pg, xid) };
      loadUnproven(state, i, within, `inside transaction ${xid}`, step);
    }
  }

  /**
   * A load whose statement has proven nothing. It is answered to its caller, who has asked for just that, so it is not judged.
   * @param {RowState} state @param {number} i @param {Pick<Reader, 'value'> & { readonly snapshot: import('./state.mjs').Snapshot }} read
   * @param {string} how @param {Step} step
   */
  function loadUnproven(state, i, read, how, step) {
    const unjudged = withReader(state, i, { judged: false });
    if (rules.onlyProvenIsKept)
      return answer(unjudged, i, read.value, `loads ${how}, keeps nothing of it, and returns`, step);
    step(
      () => `reader ${i} loads ${read.value} ${how} (snapshot ${snapshotKey(read.snapshot)})`,
      withReader(unjudged, i, { at: 'loaded', ...read }),
    );
  }

  /** @param {RowState} state @param {number} i @param {Step} step */
  function fill(state, i, step) {
    const { node = 0 } = /** @type {RowConfig['readers'][number]} */ (config.readers[i]);
    const { nonce, gen, value, snapshot } = /** @type {Reader} */ (state.readers[i]);
    if (nonce === '' || !snapshot) return answer(state, i, value, 'returns', step);
    const ran = send(state, rules, { node, gen }, (set) => scripts.fillRow(set, nonce, snapshot, value));
    const how = ran.answer ? 'fills and returns' : 'is refused, and returns';
    answer(ran.state, i, value, how, step);
    if (!(state.left.late ?? 0) || ran.answer === undefined) return;
    const late = {
      gen,
      text: `FILL ${value} ${snapshotKey(snapshot)}`,
      run: (/** @type {import('./state.mjs').DataSet} */ set) => scripts.fillRow(set, nonce, snapshot, value)[0],
      key: (/** @type {readonly import('./state.mjs').DataSet[]} */ sets) => ticketKey(sets, nonce),
    };
    answer({ ...spent(state, 'late'), late }, i, value, 'gets no answer to its FILL in time, and returns', step);
  }

  /** A later caller shares the answer of a flight. @param {RowState} state @param {number} i @param {Step} step */
  function join(state, i, step) {
    const { at, joined } = /** @type {Reader} */ (state.readers[i]);
    const allowed = at === 'open' || at === 'missed' || !rules.joinsEarlyOnly;
    if (!(state.left.join ?? 0) || joined || at === 'idle' || !allowed) return;
    step(() => `a caller joins reader ${i}`, withReader(spent(state, 'join'), i, { joined: demands(state) }));
  }

  /** @param {RowState} state @param {number} i @param {Step} step */
  return function next(state, i, step) {
    const reader = /** @type {Reader} */ (state.readers[i]);
    const node = state.nodes[config.readers[i]?.node ?? 0];
    join(state, i, step);
    // Whatever is sent on a new connection is sent behind the replay of the journal.
    if (node && node.gen !== 0 && node.journal.length > 0 && reader.at !== 'missed') return;
    switch (reader.at) {
      case 'idle': {
        if (reader.left === 0) return;
        const judged = !config.switches || state.switched === 3;
        const begun = withReader(state, i, { ...demands(state), judged });
        if (!flights) return get(begun, i, step);
        return step(() => `reader ${i} begins`, withReader(begun, i, { at: 'open' }));
      }
      case 'open':
        return get(state, i, step);
      case 'answering':
        return answer(state, i, reader.value, 'hits', step);
      case 'missed':
        return load(state, i, step);
      case 'loaded':
        return fill(state, i, step);
    }
  };
}
