// @ts-check
import { goneBackMs } from './history.mjs';

/** @typedef {import('./history.mjs').History} History */
/** @typedef {import('./history.mjs').Key} Key */
/** @typedef {import('./history.mjs').Write} Write */
/** @typedef {import('./history.mjs').Committed} Committed */

/**
 * Of a seed, `write` is undefined. `restored`: the database went back to this version, after it had newer ones.
 * @typedef {{ version: number, name: string, category: string | null, write: Write | undefined, tx?: string | undefined, restored?: true }} Version
 */
/**
 * The versions of one row in order, by position. A position is the version's number, as long as the database has not gone
 * back. `ends`: positions that were the last when it did, and until when what it lost may still be served.
 * @typedef {{ versions: ReadonlyMap<number, Version>, ends: ReadonlyMap<number, number> }} Course
 */
/** @typedef {ReadonlyMap<Key, Course>} Rows */
/** @typedef {{ kind: 'lost' | 'undead' | 'twice', key: Key, version: number | undefined, name: string, write: Write | undefined }} Fault a write that is not what was said of it */

/**
 * Which versions of which rows there ever were, and who wrote them. Where the database noted them, that is the truth. Else
 * they are inferred: from acknowledged writes, and for writes of unknown outcome from the reads that saw them.
 * @param {Pick<History, 'settings' | 'seeds' | 'writes' | 'reads' | 'committed' | 'losses'>} history
 * @returns {{ rows: Rows, faults: Fault[] }}
 */
export function truthOf({ settings, seeds, writes, reads, committed, losses = [] }) {
  const byName = new Map(writes.map((write) => [nameOf(write), write]));
  const found = committed ?? infer(seeds, writes, reads, byName);
  const seeded = new Set(seeds.map(({ key }) => key));
  /** @type {Map<Key, Committed[]>} */
  const notes = new Map();
  for (const note of found) {
    const own = notes.get(note.key);
    if (own) own.push(note);
    else notes.set(note.key, [note]);
  }
  const kept = losses.map((loss) => ({ ...loss, kept: new Map(loss.kept) }));
  /** @type {Map<Key, Course>} */
  const rows = new Map();
  /** @type {Map<string, number>} */
  const noted = new Map();
  /** @type {Fault[]} */
  const faults = [];
  for (const [key, own] of notes) {
    const { course, twice } = courseOf(key, own, { seeded: seeded.has(key), losses: kept, settings, byName });
    rows.set(key, course);
    for (const { version, name } of twice)
      faults.push({ kind: 'twice', key, version, name, write: byName.get(nameOf({ key, name })) });
    for (const { version, name, write } of course.versions.values()) {
      noted.set(nameOf({ key, name }), version);
      if (write?.doomed || write?.outcome === 'failed') faults.push({ kind: 'undead', key, version, name, write });
    }
  }
  for (const write of writes) {
    if (write.outcome !== 'ok') continue;
    const { key, version, name } = write;
    const there = noted.get(nameOf(write));
    if (there === undefined || (version !== undefined && version !== there))
      faults.push({ kind: 'lost', key, version, name, write });
  }
  return { rows, faults };
}

/** @param {Pick<Write, 'key' | 'name'>} write */
const nameOf = ({ key, name }) => `${key} ${name}`;

/**
 * @param {Key} key
 * @param {readonly Committed[]} notes of this row
 * @param {object} known
 * @param {boolean} known.seeded it was there from the start
 * @param {readonly { era: number, fromMs: number, untilMs: number, kept: ReadonlyMap<Key, number> }[]} known.losses
 * @param {History['settings']} known.settings
 * @param {ReadonlyMap<string, Write>} known.byName
 * @returns {{ course: Course, twice: Committed[] }}
 */
function courseOf(key, notes, { seeded, losses, settings, byName }) {
  /** @type {Map<number, Version>} */
  const versions = new Map();
  /** @type {Map<number, number>} */
  const ends = new Map();
  /** @type {Committed[]} */
  const twice = [];
  if (!seeded) versions.set(0, { version: 0, name: '', category: null, write: undefined });
  let offset = 0;
  let last = 0;
  const place = (/** @type {number} */ era) => {
    for (const note of notes) {
      if ((note.era ?? 0) !== era) continue;
      const { version, name, category, tx } = note;
      const position = offset + version;
      const other = versions.get(position);
      if (other && other.name !== name) twice.push(note);
      else versions.set(position, { version, name, category, tx, write: byName.get(nameOf({ key, name })) });
      last = Math.max(last, position);
    }
  };
  place(0);
  for (const { era, fromMs, untilMs, kept } of losses) {
    const version = kept.get(key) ?? 0;
    const state = versions.get(offset + version) ?? { version: 0, name: '', category: null, write: undefined };
    if (last > offset + version) {
      // To go back is a write of its own: it begins when the server ends, and is over once no node may serve what is lost.
      const overMs = untilMs + goneBackMs(settings);
      ends.set(last, overMs);
      offset = last + 1 - version;
      last += 1;
      versions.set(last, { ...state, restored: true, write: restoreOf(key, state, fromMs, overMs) });
    }
    place(era);
  }
  return { course: { versions, ends }, twice };
}

/** @param {Key} key @param {Version} state @param {number} invokedMs @param {number} completedMs @returns {Write} */
const restoreOf = (key, { name, category }, invokedMs, completedMs) => ({
  ...{ source: 'service', node: -1, kind: 'restore', key, name, category: category ?? '', invokedMs, completedMs },
  outcome: 'ok',
});

/**
 * @param {readonly Committed[]} seeds
 * @param {readonly Write[]} writes
 * @param {History['reads']} reads
 * @param {ReadonlyMap<string, Write>} byName
 * @returns {Committed[]}
 */
function infer(seeds, writes, reads, byName) {
  const found = [...seeds];
  for (const { outcome, key, version, name, category } of writes) {
    if (outcome === 'ok' && version !== undefined) found.push({ key, version, name, category });
  }
  const learned = new Set();
  for (const { rows } of reads) {
    for (const [key, version, name] of rows) {
      const write = byName.get(nameOf({ key, name }));
      if (write?.outcome !== 'unknown' || write.doomed || learned.has(write)) continue;
      learned.add(write);
      found.push({ key, version, name, category: write.category });
    }
  }
  return found;
}
