// @ts-check
/** @typedef {import('./history.mjs').History} History */
/** @typedef {import('./history.mjs').Write} Write */
/** @typedef {import('./history.mjs').Committed} Committed */

/** @typedef {{ name: string, category: string, write: Write | undefined }} Version of a seed, `write` is undefined */
/** @typedef {ReadonlyMap<number, ReadonlyMap<number, Version>>} Rows by key, then by version */
/** @typedef {{ kind: 'lost' | 'undead' | 'twice', key: number, version: number | undefined, name: string, write: Write | undefined }} Fault a write that is not what was said of it */

/**
 * Which versions of which rows there ever were, and who wrote them. Where the database noted them, that is the truth. Else
 * they are inferred: from acknowledged writes, and for writes of unknown outcome from the reads that saw them.
 * @param {History} history
 * @returns {{ rows: Rows, faults: Fault[] }}
 */
export function truthOf({ seeds, writes, reads, committed }) {
  const byName = new Map(writes.map((write) => [write.name, write]));
  const found = committed ?? infer(seeds, writes, reads, byName);
  /** @type {Map<number, Map<number, Version>>} */
  const rows = new Map();
  /** @type {Fault[]} */
  const faults = [];
  for (const { key, version, name, category } of found) {
    const write = byName.get(name);
    const versions = rows.get(key) ?? new Map();
    rows.set(key, versions);
    if (versions.has(version) && versions.get(version)?.name !== name) {
      faults.push({ kind: 'twice', key, version, name, write });
      continue;
    }
    versions.set(version, { name, category, write });
    if (write?.doomed || write?.outcome === 'failed') faults.push({ kind: 'undead', key, version, name, write });
  }
  for (const write of writes) {
    if (write.outcome !== 'ok') continue;
    const { key, version, name } = write;
    const kept = version !== undefined && rows.get(key)?.get(version)?.name === name;
    if (!kept) faults.push({ kind: 'lost', key, version, name, write });
  }
  return { rows, faults };
}

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
      const write = byName.get(name);
      if (write?.outcome !== 'unknown' || write.doomed || write.key !== key || learned.has(name)) continue;
      learned.add(name);
      found.push({ key, version, name, category: write.category });
    }
  }
  return found;
}
