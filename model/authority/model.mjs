// @ts-check
import { begin, current, end, snapshotOf } from '../world/postgres.mjs';
import { scriptsOf } from '../world/redis.mjs';
import { put } from '../row/state.mjs';
import { faultsOf } from './faults.mjs';
import { lost, nodesOf, withData } from './nodes.mjs';
import { times } from './postgres.mjs';
import { authorityKeyOf, idleReader, initialAuthority, never } from './state.mjs';

/** @typedef {import('./state.mjs').AuthorityConfig} AuthorityConfig */
/** @typedef {import('./state.mjs').AuthorityState} AuthorityState */
/** @typedef {import('./state.mjs').Node} Node */
/** @typedef {import('./state.mjs').Reader} Reader */
/** @typedef {import('./state.mjs').Writer} Writer */
/** @typedef {import('../engine.mjs').Step<AuthorityState>} Step */

/**
 * Which generation is in force: PostgreSQL as the authority, its history, two Redis servers and what becomes of their data.
 * One row; what a generation promises inside is the row model's, so a load and what it fills are two steps, and no more.
 *
 * Bounds: two nodes, a writer, two readers, two generations or three, one or two faults; time in ticks of half a second.
 * Not modelled: a PostgreSQL that goes on answering when another has taken its place (a split brain is two databases), and
 * one whose log outgrows what it lost, or that loses what nobody has asked since: those are beyond every promise.
 * @param {AuthorityConfig} config
 * @param {import('../protocol.mjs').Protocol} protocol
 * @returns {import('../engine.mjs').Model<AuthorityState>}
 */
export function authorityModel(config, protocol) {
  const { rules } = protocol;
  const scripts = scriptsOf(protocol);
  const nodes = nodesOf(config, rules);
  const faults = faultsOf(config);
  const strict = config.kind === 'strict';

  /** @param {AuthorityState} state @param {number} i @param {Partial<Reader>} change @returns {AuthorityState} */
  const withReader = (state, i, change) => {
    const reader = /** @type {Reader} */ (state.readers[i]);
    return { ...state, readers: put(state.readers, i, { ...reader, ...change }) };
  };
  /** @param {AuthorityState} state @param {number} i @param {Partial<Writer>} change @returns {AuthorityState} */
  const withWriter = (state, i, change) => {
    const writer = /** @type {Writer} */ (state.writers[i]);
    return { ...state, writers: put(state.writers, i, { ...writer, ...change }) };
  };

  /** The place of a value in the order of all there ever were: going back is a write, too. @param {AuthorityState} state @param {number} value */
  const versionOf = ({ versions }, value) => versions.lastIndexOf(value);
  /** The place that going back has in that order. @param {AuthorityState} state */
  const backVersion = ({ versions }) => versions.indexOf(0, 1);

  /**
   * Whether nothing excuses any more what PostgreSQL has lost: as long after it as is promised, and at once where the node
   * has noticed, or has compared and used the new history itself. Where the postmaster is the same, a new connection shows nothing.
   * @param {AuthorityState} state @param {Node} node
   */
  function isCured({ now, backAt, pg }, { link, pool, compared }) {
    if (backAt === never) return false;
    if (pool === pg.run && compared && config.back !== 'recovered') return true;
    return strict ? now >= backAt + times.lease || link === 0 || link === pg.run : now >= backAt + 2;
  }

  /** @param {AuthorityState} state @param {number} i @param {number} value @param {string} how @param {Step} step */
  function answer(state, i, value, how, step) {
    const { min, seen, judged, cured, left } = /** @type {Reader} */ (state.readers[i]);
    const version = versionOf(state, value);
    const gone = version !== -1 && !state.pg.history.includes(value);
    const broken = judged ? (version < min ? 'R' : '') + (version < seen ? 'A' : '') : '';
    const counts = version !== backVersion(state) || cured;
    const next = withReader(state, i, { ...idleReader, left: left - 1 });
    step(
      () => `reader ${i} ${how} ${value}`,
      { ...next, seen: counts ? Math.max(state.seen, version) : state.seen },
      [...(strict ? broken : broken.replace('A', '')), ...(gone && cured && judged ? 'H' : '')].join(''),
    );
  }

  /** @param {AuthorityState} state @param {number} i @param {string} why @param {Step} step */
  const fails = (state, i, why, step) => {
    const { left } = /** @type {Reader} */ (state.readers[i]);
    step(() => `reader ${i} gets no answer: ${why}`, withReader(state, i, { ...idleReader, left: left - 1 }));
  };

  /** GET at the node's Redis; a strict hit counts while PostgreSQL's word does. @param {AuthorityState} state @param {number} i @param {number} at @param {Step} step */
  function get(state, i, at, step) {
    const { gen } = /** @type {Node} */ (state.nodes[at]);
    const { set } = nodes.serverOf(state, at).data;
    if (gen === 0) return load(state, i, at, step);
    if (set.gen !== gen) return step(() => `reader ${i} finds another generation`, lost(state, at));
    const nonce = `t${state.tickets}`;
    const [asked, found] = scripts.getRow(set, nonce);
    if (found.hit !== undefined) {
      if (!strict || nodes.certain(state, at)) return answer(state, i, found.hit, 'hits', step);
      return load(state, i, at, step);
    }
    const missed = withData({ ...state, tickets: state.tickets + 1 }, nodes.placeOf(at), { set: asked });
    step(() => `reader ${i} misses`, withReader(missed, i, { at: 'missed', nonce, gen }));
  }

  /** @param {AuthorityState} state @param {number} i @param {number} at @param {Step} step */
  function load(state, i, at, step) {
    const { pg } = state;
    const { nonce } = /** @type {Reader} */ (state.readers[i]);
    if (!pg.up) return fails(state, i, 'PostgreSQL is away', step);
    if (state.nodes[at]?.pool !== pg.run) return;
    const value = current(pg);
    if (nonce === '') return answer(state, i, value, 'loads (no ticket)', step);
    const loaded = withReader(state, i, { at: 'loaded', value, snapshot: snapshotOf(pg) });
    step(() => `reader ${i} loads ${value}`, loaded);
  }

  /** @param {AuthorityState} state @param {number} i @param {Step} step */
  function read(state, i, step) {
    const reader = /** @type {Reader} */ (state.readers[i]);
    const at = /** @type {number} */ (config.readers[i]?.node);
    const node = /** @type {Node} */ (state.nodes[at]);
    if (reader.at === 'idle' && reader.left > 0) {
      const { acked: min, seen, now, excusedUntil } = state;
      const begins = { min, seen, judged: now >= excusedUntil, cured: isCured(state, node) };
      return get(withReader(state, i, begins), i, at, step);
    }
    if (reader.at === 'missed') return load(state, i, at, step);
    if (reader.at !== 'loaded' || !reader.snapshot) return;
    const { nonce, gen, value, snapshot } = reader;
    const { set } = nodes.serverOf(state, at).data;
    if (node.gen !== gen || set.gen !== gen) return answer(state, i, value, 'keeps nothing, and returns', step);
    const [filled, accepted] = scripts.fillRow(set, nonce, snapshot, value);
    const kept = withData(state, nodes.placeOf(at), { set: filled });
    answer(kept, i, value, accepted ? 'fills and returns' : 'is refused, and returns', step);
  }

  /** @param {AuthorityState} state @param {number} i @param {Step} step */
  function write(state, i, step) {
    const writer = /** @type {Writer} */ (state.writers[i]);
    const at = /** @type {number} */ (config.writers[i]?.node);
    const node = /** @type {Node} */ (state.nodes[at]);
    const { pg } = state;
    const { xid, value, number } = writer;
    const W = `writer ${i}`;
    /** @param {AuthorityState} next @param {string} why */
    const rollsBack = (next, why) =>
      step(
        () => `${W} ${why}: it rolls back`,
        withWriter({ ...next, pg: { ...next.pg, ...end(next.pg, xid, undefined, i) } }, i, { at: 'done' }),
      );
    const commits = () => {
      const history = { ...pg, ...end(pg, xid, value, i), lsn: pg.lsn + 1 };
      return { ...state, pg: history, versions: [...state.versions, value] };
    };
    /** @param {AuthorityState} next */
    const acknowledged = (next) => ({
      ...withWriter(next, i, { at: 'done' }),
      acked: Math.max(next.acked, versionOf(next, value)),
    });
    if (writer.at === 'begin' && !rules.numberIsReadWithId)
      return step(
        () => `${W} reads the generation's number: ${pg.number}`,
        withWriter(state, i, { at: 'looked', number: pg.number }),
      );
    if ((writer.at === 'begin' || writer.at === 'looked') && pg.up && node.pool === pg.run && pg.lockedBy === -1) {
      const change = { xid: pg.nextXid, value: current(pg) | (2 << i) };
      const after = strict ? /** @type {const} */ ('identify') : /** @type {const} */ ('commit');
      const begun = { ...state, pg: { ...pg, ...begin(pg), lockedBy: i } };
      return step(
        () => `${W} writes ${change.value} in transaction ${pg.nextXid}`,
        withWriter(begun, i, { ...change, at: after }),
      );
    }
    if (writer.at === 'identify') {
      const read = rules.numberIsReadWithId ? pg.number : number;
      return step(
        () => `${W} reads the generation's number: ${read}`,
        withWriter(state, i, { at: 'fence', number: read }),
      );
    }
    if (writer.at === 'fence') {
      const { set } = nodes.serverOf(state, at).data;
      if (node.gen === 0) return strict ? rollsBack(state, 'cannot fence') : undefined;
      if (strict && rules.writerComparesNumber && number !== node.number)
        return rollsBack(state, 'finds another generation');
      if (set.gen !== node.gen)
        return strict ? rollsBack(lost(state, at), 'cannot fence') : step(() => `${W} cannot fence`, lost(state, at));
      const [fenced] = scripts.fence(set, ['row'], xid, Math.min(xid, ...pg.running));
      const told = withData(state, nodes.placeOf(at), { set: fenced });
      if (strict) return step(() => `${W} FENCEs`, withWriter(told, i, { at: 'commit' }));
      return step(() => `${W} FENCEs, and is answered`, acknowledged(told));
    }
    if (writer.at !== 'commit') return;
    if (strict) return step(() => `${W} COMMITS ${value}`, acknowledged(commits()));
    step(() => `${W} COMMITS ${value}`, withWriter(commits(), i, { at: 'fence' }));
  }

  return {
    initial: initialAuthority(config),
    key: authorityKeyOf(config),
    next: (state, step) => {
      // Nothing that comes behind the last answer can break anything.
      if (state.readers.every(({ at, left }) => at === 'idle' && left === 0)) return;
      for (const i of state.writers.keys()) write(state, i, step);
      for (const i of state.readers.keys()) read(state, i, step);
      for (const at of state.nodes.keys()) nodes.next(state, at, step);
      faults(state, step);
    },
  };
}
