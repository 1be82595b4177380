// @ts-check
import { without } from '../without.mjs';
import { begin, end, snapshotOf } from '../world/postgres.mjs';
import { put, snapshotKey } from '../row/state.mjs';
import { derivedKeyOf, idle, initialDerived, oldest } from './state.mjs';
import { coarse, derivedWritersOf } from './writers.mjs';

/** @typedef {import('./state.mjs').DerivedConfig} DerivedConfig */
/** @typedef {import('./state.mjs').DerivedState} DerivedState */
/** @typedef {import('./state.mjs').Reader} Reader */
/** @typedef {import('./state.mjs').Entry} Entry */
/** @typedef {import('../engine.mjs').Step<DerivedState>} Step */
/** @typedef {import('../../src/cache/core/decisions.js').TagState} TagState */

/**
 * An entry made of several tags: a list, or a whole response. The entry and each stamp are read in steps of their own,
 * so the product's scripts, which read them together, are covered, and so is a cluster (but for the store, which is one
 * step here, as it is one script; its comparison of the stamps is not needed).
 *
 * Not modelled: a part that is refused (it makes its response unkeepable), unknown outcomes, entries that the row model's
 * coarse tag stands for (a coarse tag is one more tag here), single flight.
 * @param {DerivedConfig} config
 * @param {import('../protocol.mjs').Protocol} protocol
 * @returns {import('../engine.mjs').Model<DerivedState>}
 */
export function derivedModel(config, protocol) {
  const { decisions, rules } = protocol;
  const writer = derivedWritersOf(config, protocol);
  const count = config.tags ?? 2;

  /** @param {DerivedState} state @param {number} n @param {Partial<Reader>} change @returns {DerivedState} */
  const withReader = (state, n, change) => {
    const reader = /** @type {Reader} */ (state.readers[n]);
    return { ...state, readers: put(state.readers, n, { ...reader, ...change }) };
  };

  /** @param {DerivedState} state @param {number} n @param {readonly number[]} values @param {string} how @param {Step} step */
  function answer(state, n, values, how, step) {
    const { min, seen, left } = /** @type {Reader} */ (state.readers[n]);
    const stale = values.some((version, tag) => version < (min[tag] ?? 0)) ? 'R' : '';
    const inverted = values.some((version, tag) => version < (seen[tag] ?? 0)) ? 'A' : '';
    const readers = put(state.readers, n, { ...idle, left: left - 1 });
    const highest = state.seen.map((version, tag) => Math.max(version, values[tag] ?? 0));
    step(() => `reader ${n} ${how} [${values.join()}]`, { ...state, readers, seen: highest }, stale + inverted);
  }

  /** Whether a command of the reader's is executed. @param {DerivedState} state @param {Reader} reader */
  const heard = ({ gen }, reader) => (rules.genIsChecked ? gen !== 0 && gen === reader.gen : true);

  /** @param {DerivedState} state @param {number} n @param {Step} step */
  function start(state, n, step) {
    const begun = withReader(state, n, { min: state.acked, seen: state.seen, gen: state.gen });
    if (state.gen === 0) return step(() => `reader ${n} bypasses`, withReader(begun, n, { at: 'load' }));
    if (config.readers[n]?.what === 'response') {
      const [row] = state.tags;
      if (!row?.value || !decisions.rowIsServable(row, coarse)) return;
      const known = [{ stamp: row.stamp, fence: row.fence, ff: row.ff }];
      const part = { values: [Number(row.value.body)], known, i: 1, at: /** @type {const} */ ('stamps') };
      return step(() => `reader ${n} hits row ${row.value?.body} for its response`, withReader(begun, n, part));
    }
    if (!state.entry) return step(() => `reader ${n} finds no entry`, withReader(begun, n, missing()));
    const { entry } = state;
    step(() => `reader ${n} finds entry [${entry.values.join()}]`, withReader(begun, n, { at: 'verify', entry, i: 0 }));
  }

  /** @returns {Partial<Reader>} */
  const missing = () => ({ at: rules.stampsBeforeLoad ? 'stamps' : 'load', i: 0, known: [] });

  /** @param {DerivedState} state @param {number} n @param {Step} step */
  function verify(state, n, step) {
    const { i, entry } = /** @type {Reader & { entry: Entry }} */ (state.readers[n]);
    const tag = state.tags[i];
    const holds =
      heard(state, /** @type {Reader} */ (state.readers[n])) && decisions.holds(tag, String(entry.stamps[i]));
    if (!holds && rules.readComparesStamps) {
      const reader = without(/** @type {Reader} */ (state.readers[n]), 'entry');
      const next = { ...state, readers: put(state.readers, n, { ...reader, ...missing() }) };
      return step(() => `reader ${n}: stamp ${i} does not hold`, next);
    }
    if (i + 1 === count) return answer(state, n, entry.values, `finds stamp ${i} equal: HIT`, step);
    step(() => `reader ${n}: stamp ${i} holds`, withReader(state, n, { i: i + 1 }));
  }

  /** Stamp and fence of the next tag, created where it is missing; with the last one the epoch. @param {DerivedState} state @param {number} n @param {Step} step */
  function stamps(state, n, step) {
    const reader = /** @type {Reader} */ (state.readers[n]);
    const { i, known, at } = reader;
    const R = `reader ${n}`;
    if (!heard(state, reader))
      return step(() => `${R}: another generation`, withReader(state, n, { at: 'load', gen: 0 }));
    let { tags, fresh } = state;
    if (!tags[i] && !rules.stampIsCreatedOnce && at === 'stamps') {
      return step(() => `${R} sees that tag ${i} is missing`, withReader(state, n, { at: 'create' }));
    }
    if (!tags[i] || at === 'create') {
      const made = decisions.freshTag(`stamp ${fresh}`);
      tags = put(tags, i, tags[i] ? { ...tags[i], stamp: made.stamp } : made);
      fresh += 1;
    }
    const { stamp, fence, ff } = /** @type {TagState} */ (tags[i]);
    // Who believes to have created a tag believes that it knows of no writer.
    const learnt = [...known, at === 'create' ? { stamp, fence: [], ff: 0 } : { stamp, fence, ff }];
    const last = i + 1 === count;
    const loaded = reader.snapshot !== undefined;
    const next = withReader({ ...state, tags, fresh }, n, {
      known: learnt,
      at: last ? (loaded ? 'store' : 'load') : 'stamps',
      i: i + 1,
      ...(last && { beginning: state.beginning }),
    });
    if (last && config.readers[n]?.what === 'response' && !rules.partKeepsItsStamp) {
      const again = learnt.map((old, tag) => (tag === 0 ? { ...old, stamp: tags[0]?.stamp ?? '' } : old));
      return step(() => `${R} reads both stamps`, withReader(next, n, { known: again }));
    }
    step(() => `${R} reads stamp and fence of tag ${i} (${fence.join()})`, next);
  }

  /** @param {DerivedState} state @param {number} n @param {Step} step */
  function load(state, n, step) {
    const { gen, values, known } = /** @type {Reader} */ (state.readers[n]);
    const read =
      config.readers[n]?.what === 'response' && values.length > 0 ? [...values, ...state.db.slice(1)] : state.db;
    if (gen === 0) return answer(state, n, read, 'loads', step);
    const snapshot = snapshotOf(state.pg);
    const at = known.length < count ? 'stamps' : 'store';
    step(
      () => `reader ${n} loads [${read.join()}] (snapshot ${snapshotKey(snapshot)})`,
      withReader(state, n, { at, values: read, snapshot, i: 0 }),
    );
  }

  /** @param {DerivedState} state @param {number} n @param {Step} step */
  function store(state, n, step) {
    const reader = /** @type {Reader} */ (state.readers[n]);
    const { values, known, beginning, snapshot } = reader;
    // The row part of a response was proven when it was filled.
    const loaded = config.readers[n]?.what === 'response' ? known.slice(1) : known;
    const may =
      snapshot !== undefined &&
      heard(state, reader) &&
      ((beginning && decisions.isPast(beginning, snapshot)) || !rules.derivedIsPastEpoch) &&
      (loaded.every((tag) => decisions.provenFor(tag, snapshot)) || !rules.derivedIsProven) &&
      (known.every(({ stamp }, i) => stamp === state.tags[i]?.stamp) || !rules.storeComparesStamps);
    if (!may || !snapshot) return answer(state, n, values, 'may not store, and returns', step);
    const tags = state.tags.map((tag, i) =>
      tag && known[i]?.stamp === tag.stamp && loaded.includes(known[i]) ? decisions.settled(tag, snapshot) : tag,
    );
    const entry = { values, stamps: known.map(({ stamp }) => stamp) };
    answer({ ...state, tags, entry }, n, values, 'stores and returns', step);
  }

  const acts = { idle: start, verify, stamps, create: stamps, load, store, part: stamps };

  /** @param {DerivedState} state @param {Step} step */
  function faults(state, step) {
    const { left, pg } = state;
    if (config.crowded && pg.running.includes(oldest)) {
      step(() => 'the old transaction ends', { ...state, pg: end(pg, oldest, undefined) });
    }
    if (left.flush) {
      const tags = state.tags.map(() => undefined);
      step(() => 'Redis is FLUSHED', {
        ...without(without(state, 'entry'), 'init'),
        gen: 0,
        tags,
        left: { ...left, flush: 0 },
      });
    }
    for (const fault of /** @type {const} */ (['expiry', 'eviction'])) {
      for (const [i, tag] of state.tags.entries()) {
        const idle = !rules.pendingNeverExpires || tag?.pend.length === 0;
        if (!left[fault] || !tag || (fault === 'expiry' && !idle)) continue;
        const tags = put(state.tags, i, undefined);
        step(() => `the hash of tag ${i} is lost (${fault})`, { ...state, tags, left: { ...left, [fault]: 0 } });
      }
    }
    if (state.gen === 0 && !state.init) {
      const running = state.writers.flatMap(({ xid }) => (pg.running.includes(xid) ? [xid] : []));
      const init = { epoch: pg.nextXid, writers: rules.runningWritersAreListed ? running : [] };
      step(() => `the epoch ${pg.nextXid} is taken`, { ...state, init, pg: end(begin(pg), pg.nextXid, undefined) });
    }
    if (state.gen === 0 && state.init) {
      const gen = state.gens + 1;
      const begun = { ...without(state, 'init'), gen, gens: gen, beginning: state.init };
      step(() => `generation ${gen} is installed`, begun);
    }
  }

  /** @param {DerivedState} state */
  const left = ({ writers, readers, entry, gen, tags, db }) =>
    writers.every(({ over }) => over) &&
    readers.every(({ at }, n) => at === 'idle' || config.readers[n]?.what === 'response') &&
    gen !== 0 &&
    entry?.stamps.every((stamp, i) => decisions.holds(tags[i], stamp)) &&
    entry.values.some((version, i) => version !== db[i]);

  return {
    initial: initialDerived(config),
    key: derivedKeyOf(config),
    next: (state, step) => {
      for (const i of state.writers.keys()) writer(state, i, step);
      for (const [n, reader] of state.readers.entries()) {
        if (reader.at !== 'idle' || reader.left > 0) acts[reader.at](state, n, step);
      }
      faults(state, step);
      if (left(state))
        step(() => `at rest: [${state.entry?.values.join()}] holds, [${state.db.join()}] is`, undefined, 'E');
    },
  };
}
