// @ts-check
import { postgres, postgresKey } from '../world/postgres.mjs';
import { beginningKey, tagKey } from '../world/redis.mjs';
import { snapshotKey } from '../row/state.mjs';

/** @typedef {import('../../src/cache/core/decisions.js').TagState} TagState */
/** @typedef {import('../../src/cache/core/snapshot.js').Snapshot} Snapshot */
/** @typedef {import('../../src/cache/core/decisions.js').Beginning} Beginning */
/** @typedef {import('../world/postgres.mjs').Postgres} Postgres */
/** @typedef {'crash' | 'rollback' | 'flush' | 'expiry' | 'eviction'} Fault */

/**
 * @typedef {object} DerivedConfig
 * @property {readonly { readonly kind: 'strict' | 'invalidate' | 'ttl', readonly tags?: readonly number[], readonly moves?: number }[]} writers
 *   tags: what it changes; moves: where it moves the row, from whatever list it is in
 * @property {readonly { readonly what: 'entry' | 'response', readonly reads: number }[]} readers
 *   response: made of a row (tag 0, if it is cached) and of a list (tag 1)
 * @property {number} [tags] how many; lists beyond are not looked at
 * @property {number} [location] the list that the row is in
 * @property {'entry' | 'row' | 'nothing' | 'cold'} [cached] at the start; cold: the tags are not known either
 * @property {boolean} [crowded] an old transaction is running, and the fence of tag 0 is as long as it may be
 * @property {Partial<Record<Fault, number>>} [faults]
 */

/** A value, and per tag the stamp that came with it. @typedef {{ readonly values: readonly number[], readonly stamps: readonly string[] }} Entry */
/** A tag as it was before the load. @typedef {Pick<TagState, 'stamp' | 'fence' | 'ff'>} Known */

/**
 * @typedef {object} Writer
 * @property {number} step of its program
 * @property {boolean} early its FENCEs are executed before its COMMIT
 * @property {number} xid
 * @property {readonly number[]} tags that it changes
 * @property {readonly number[]} versions of its tags, as committed
 * @property {boolean} over
 * @property {string} stamp of tag 0 as its FENCE left it
 */

/**
 * @typedef {object} Reader
 * @property {'idle' | 'verify' | 'stamps' | 'create' | 'load' | 'store' | 'part'} at
 * @property {number} left
 * @property {number} i which tag is next
 * @property {readonly number[]} min
 * @property {readonly number[]} seen
 * @property {number} gen
 * @property {Beginning} [beginning]
 * @property {readonly number[]} values
 * @property {readonly Known[]} known
 * @property {Entry} [entry]
 * @property {Snapshot} [snapshot]
 */

/**
 * @typedef {object} DerivedState
 * @property {Postgres} pg ids and locks; the values are in `db`
 * @property {readonly number[]} db per tag, how many commits have changed it
 * @property {number} location the list that the row is in
 * @property {number} gen 0: no record
 * @property {number} gens
 * @property {Beginning} beginning
 * @property {Beginning} [init] of the generation that is about to be installed
 * @property {number} fresh stamps made
 * @property {readonly (TagState | undefined)[]} tags
 * @property {Entry} [entry]
 * @property {readonly Writer[]} writers
 * @property {readonly Reader[]} readers
 * @property {readonly number[]} acked per tag
 * @property {readonly number[]} seen per tag
 * @property {Partial<Record<Fault, number>>} left
 */

/** @type {Omit<Reader, 'left'>} */
export const idle = { at: 'idle', i: 0, min: [], seen: [], gen: 0, values: [], known: [] };

/** A transaction that keeps xmin low, and as many ids behind it as a fence may hold. */
export const oldest = 2;
const crowd = Array.from({ length: 255 }, (_, i) => oldest + 1 + i);

/** @param {DerivedConfig} config @returns {DerivedState} */
export function initialDerived({
  writers,
  readers,
  tags: count = 2,
  location = 0,
  cached = 'entry',
  crowded = false,
  faults = {},
}) {
  const all = Array.from({ length: count }, (_, i) => i);
  const zeros = all.map(() => 0);
  /** @param {number} i @returns {TagState} */
  const tag = (i) => ({
    stamp: `initial ${i}`,
    pend: [],
    fence: crowded && i === 0 ? crowd : [],
    ff: 0,
    tickets: {},
    ...(cached === 'row' && i === 0 ? { value: { body: '0', coarse: '' } } : {}),
  });
  const entry = { values: zeros, stamps: all.map((i) => tag(i).stamp) };
  return {
    pg: crowded ? { ...postgres, nextXid: 300, completed: 299, running: [oldest] } : postgres,
    db: zeros,
    location,
    gen: 1,
    gens: 1,
    beginning: { epoch: 1, writers: [] },
    fresh: 0,
    tags: all.map((i) => (cached === 'cold' ? undefined : tag(i))),
    ...(cached === 'entry' ? { entry } : {}),
    writers: writers.map(({ tags = [] }) => ({
      step: 0,
      early: false,
      xid: 0,
      tags,
      versions: [],
      over: false,
      stamp: '',
    })),
    readers: readers.map(({ reads }) => ({ ...idle, left: reads })),
    acked: zeros,
    seen: zeros,
    left: faults,
  };
}

/** Stamps are told apart only by whether they are the current ones. @param {DerivedState} state @param {readonly string[]} stamps */
const current = (state, stamps) => stamps.map((stamp, i) => (stamp === state.tags[i]?.stamp ? '=' : '!')).join('');

/** @param {DerivedState} state @param {Entry | undefined} entry */
const entryKey = (state, entry) => (entry ? entry.values.join('') + current(state, entry.stamps) : '');

/** @param {Beginning | undefined} beginning */
const optionalKey = (beginning) => (beginning ? beginningKey(beginning) : '');

/** @param {import('./state.mjs').DerivedConfig} config */
export function derivedKeyOf(config) {
  /** @param {DerivedState} state @param {Reader} reader @param {number} n */
  const readerKey = (state, reader, n) => {
    const { at, left, i, min, seen, gen, beginning, values, known, entry, snapshot } = reader;
    const what = config.readers[n]?.what[0];
    if (at === 'idle') return `${what}${left}`;
    const fences = known.map(({ fence, ff }) => `${fence.join()}/${ff}`).join(';');
    const stamps = known.map(({ stamp }) => stamp);
    return (
      `${what}${at[0]}${at[2]}${left}${i}${min.join('')}${seen.join('')}${gen},${optionalKey(beginning)},${values.join('')}` +
      `${fences}${current(state, stamps)}${entryKey(state, entry)}${snapshotKey(snapshot)}`
    );
  };

  /** @param {DerivedState} state */
  return (state) => {
    const { pg, db, location, gen, gens, beginning, init, tags, entry, writers, readers, acked, seen, left } = state;
    const writing = writers.map(({ step, early, xid, tags: changed, versions, over, stamp }) =>
      over
        ? 'x'
        : `${step}${early ? 'e' : ''}.${xid}${changed.join('')}${versions.join('')}${stamp === tags[0]?.stamp ? '=' : ''}`,
    );
    const reading = readers.map((reader, n) => readerKey(state, reader, n)).sort();
    return [
      postgresKey(pg, false),
      `${db.join('')}${location},${gen}${gens},${beginningKey(beginning)},${optionalKey(init)},${acked.join('')}${seen.join('')}`,
      tags.map((tag) => tagKey(tag) + (tag?.value ? `v${tag.value.body}` : '')).join('|'),
      entryKey(state, entry),
      writing.join('|'),
      reading.join('|'),
      Object.values(left).join(''),
    ].join('#');
  };
}
