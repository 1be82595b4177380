// @ts-check
/** @typedef {import('./history.mjs').Read} Read */
/** @typedef {import('./row-order.mjs').RowOrder} RowOrder */

/**
 * That a read showed some version of a row. `absence`: a list did not show the row, so that it shows a version which is
 * not of this list; the newest such version is assumed.
 * @typedef {{ read: Read, key: number, version: number, absence: boolean }} Observation
 */

/** @typedef {{ read: Read, key: number, version: number | undefined, why: string }} Phantom what no database ever held at that moment */

/**
 * @param {Read} read
 * @param {ReadonlyMap<number, RowOrder>} orders
 * @returns {{ observations: Observation[], phantoms: Phantom[] }}
 */
export function observe(read, orders) {
  /** @type {Observation[]} */
  const observations = [];
  /** @type {Phantom[]} */
  const phantoms = [];
  const phantom = (/** @type {number} */ key, /** @type {number | undefined} */ version, /** @type {string} */ why) =>
    void phantoms.push({ read, key, version, why });
  for (const [key, version, name] of read.rows) {
    const known = orders.get(key)?.versions.get(version);
    if (!known) phantom(key, version, 'no such version was ever committed');
    else if (known.name !== name) phantom(key, version, `the version is ${known.name}, not ${name}`);
    else if (known.write && known.write.invokedMs > read.completedMs) phantom(key, version, 'not yet written');
    else if (read.category !== undefined && known.category !== read.category) phantom(key, version, 'of another list');
    else observations.push({ read, key, version, absence: false });
  }
  if (read.category === undefined) {
    if (read.rows.length === 0 && read.key !== undefined) phantom(read.key, undefined, 'said to be absent');
    return { observations, phantoms };
  }
  const shown = new Set(read.rows.map(([key]) => key));
  for (const [key, order] of orders) {
    if (shown.has(key)) continue;
    const version = newestOutside(read.category, read, order);
    if (version === undefined) phantom(key, undefined, 'missing from its list');
    else if (version !== 'current') observations.push({ read, key, version, absence: true });
  }
  return { observations, phantoms };
}

/**
 * @param {string} category
 * @param {Read} read
 * @param {RowOrder} order
 * @returns {number | 'current' | undefined} `current` if the row may rightly be outside the list at the moment of the read
 */
function newestOutside(category, { invokedMs, completedMs }, order) {
  const outside = (/** @type {number} */ version) => order.versions.get(version)?.category !== category;
  const floor = order.floor(invokedMs);
  // What was written after the read was over, and all that came after that, it cannot have shown.
  for (let version = Math.max(1, floor); version <= order.last; version += 1) {
    if ((order.versions.get(version)?.write?.invokedMs ?? -Infinity) > completedMs) break;
    if (outside(version)) return 'current';
  }
  for (let version = floor - 1; version > 0; version -= 1) if (outside(version)) return version;
  return undefined;
}
