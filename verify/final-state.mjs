// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCacheStatus } from './workload/cache-status.mjs';
import { isIn, longestLifeMs } from './checker/history.mjs';
import { allLists, pathOf } from './workload/rows.mjs';

/** @typedef {import('./checker/history.mjs').Key} Key */
/** @typedef {import('./checker/history.mjs').Left} Left */
/** @typedef {import('./checker/history.mjs').Committed} Committed */
/** @typedef {import('./node-process.mjs').NodeProcess} NodeProcess */

/**
 * @typedef {object} FinalOptions
 * @property {readonly NodeProcess[]} nodes
 * @property {import('./workload/client.mjs').Client} client
 * @property {import('./database.mjs').RunDatabase} database
 * @property {import('./checker/history.mjs').Settings} settings
 * @property {boolean} outlive wait until everything that only the TTL bounds is over
 * @property {string} adminToken
 * @property {boolean} [withFurther] look at the entities besides items, too
 */

/** Limits for what hangs. */
const timeoutMs = 60_000;
const healMs = 180_000;
/** How long the feed may need to tell of the last SQL that went past the service. */
const feedMs = 10_000;
/** Of rows that were removed, only the last are looked at. */
const mostGone = 20;

/**
 * After everything was healed: what every node, layer and level keeps of every row and list, next to the database.
 * `before` is what it was before the TTL has had its say.
 * @param {FinalOptions} options
 * @returns {Promise<{ left: Left[], before: Left[] }>}
 */
export async function finalState(options) {
  await Promise.all(options.nodes.map((node) => healed(options, node)));
  await options.database.feedCaughtUp(feedMs);
  await sleep(2 * options.settings.leaseMs);
  const before = await look(options);
  if (!options.outlive) return { left: before, before };
  await sleep(longestLifeMs(options.settings) + 200);
  return { left: await look(options), before };
}

/** Until a node answers from the cache again. @param {FinalOptions} options @param {NodeProcess} node */
async function healed({ client }, node) {
  const giveUpAtMs = performance.now() + healMs;
  while (performance.now() < giveUpAtMs) {
    const answer = node.url && (await client.send(node.url, '/items/1', { timeoutMs }));
    const served = answer && answer.status === 200 && parseCacheStatus(String(answer.headers['cache-status'] ?? ''));
    if (served && served.hit) return;
    await sleep(50);
  }
  throw new Error(`node ${node.index} does not come back to the cache within ${healMs} ms of the last fault`);
}

/** @param {FinalOptions} options @returns {Promise<Left[]>} */
async function look(options) {
  const { database } = options;
  const further = options.withFurther ? await database.currentFurther() : [];
  const gone = further.filter(({ category }) => category === null).slice(-mostGone);
  const rows = [...(await database.current()), ...further.filter(({ category }) => category !== null), ...gone];
  const found = await Promise.all(options.nodes.map((node) => lookAtNode(options, node, rows)));
  return found.flat();
}

/** @param {FinalOptions} options @param {NodeProcess} node @param {readonly Committed[]} rows */
async function lookAtNode({ client, adminToken, withFurther = false }, node, rows) {
  /** @type {Left[]} */
  const left = [];
  const get = async (/** @type {string} */ path) => {
    const headers = { Authorization: `Bearer ${adminToken}` };
    const { status, text } = await client.send(/** @type {URL} */ (node.url), path, { headers, timeoutMs });
    return status === 200 ? JSON.parse(text) : undefined;
  };
  const note = (
    /** @type {Key} */ key,
    /** @type {string} */ place,
    /** @type {number | null} */ version,
    /** @type {number | null} */ expected,
  ) => void left.push({ node: node.index, key, place, version, expected });
  for (const { key, version, name, category } of rows) {
    const expected = category === null ? null : version;
    const inspected = typeof key === 'number' ? `items:${key}` : key;
    // What is kept is looked at before a read could renew it.
    for (const kept of places(await get(`/admin/cache/entries?key=${inspected}`)))
      note(key, kept.place, kept.version, expected);
    note(key, 'its answer', shownVersion(await get(pathOf(key)), name), expected);
  }
  const lists = withFurther ? allLists() : allLists().filter(({ path }) => path.startsWith('/items'));
  for (const { path, category: list = '' } of lists) {
    /** @type {Map<Key, any>} */
    const shown = new Map(
      (await get(path))?.data.map((/** @type {{ id: number, key?: string }} */ row) => [row.key ?? row.id, row]),
    );
    for (const { key, version, name, category } of rows) {
      const inside = isIn(list, category);
      if (inside || shown.has(key))
        note(key, `list ${list}`, shownVersion(shown.get(key), name), inside ? version : null);
    }
  }
  return left;
}

/** The version of an answer; -1 if it has another name, as that of a history that the database has lost. @param {{ version: number, name: string } | undefined} row @param {string} name */
function shownVersion(row, name) {
  if (!row) return null;
  return row.name === name ? row.version : -1;
}

/** What the service's own inspector sees that might be served. @param {any} sight */
function places(sight) {
  return ['api', 'db'].flatMap((layer) =>
    ['l1', 'l2'].flatMap((level) => {
      const { present = false, valid = false, keptMs = 0, version = null } = sight?.layers?.[layer]?.[level] ?? {};
      return present && valid && keptMs > 0
        ? [{ place: `${layer} ${level}`, version: /** @type {number | null} */ (version) }]
        : [];
    }),
  );
}
