// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { longestLifeMs } from './checker/history.mjs';
import { parseCacheStatus } from './workload/cache-status.mjs';
import { categories } from './workload/choices.mjs';

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
 */

/** Limits for what hangs. */
const timeoutMs = 60_000;
const healMs = 180_000;

/**
 * After everything was healed: what every node, layer and level keeps of every row and list, next to the database.
 * `before` is what it was before the TTL has had its say.
 * @param {FinalOptions} options
 * @returns {Promise<{ left: Left[], before: Left[] }>}
 */
export async function finalState(options) {
  await Promise.all(options.nodes.map((node) => healed(options, node)));
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
  const rows = await options.database.current();
  const found = await Promise.all(options.nodes.map((node) => lookAtNode(options, node, rows)));
  return found.flat();
}

/** @param {FinalOptions} options @param {NodeProcess} node @param {readonly Committed[]} rows */
async function lookAtNode({ client, adminToken }, node, rows) {
  /** @type {Left[]} */
  const left = [];
  const get = async (/** @type {string} */ path) => {
    const headers = { Authorization: `Bearer ${adminToken}` };
    const { status, text } = await client.send(/** @type {URL} */ (node.url), path, { headers, timeoutMs });
    return status === 200 ? JSON.parse(text) : undefined;
  };
  const note = (
    /** @type {number} */ key,
    /** @type {string} */ place,
    /** @type {number | null} */ version,
    /** @type {number | null} */ expected,
  ) => void left.push({ node: node.index, key, place, version, expected });
  for (const { key, version } of rows) {
    // What is kept is looked at before a read could renew it.
    for (const kept of places(await get(`/admin/cache/entries?key=items:${key}`)))
      note(key, kept.place, kept.version, version);
    note(key, 'its answer', (await get(`/items/${key}`))?.version ?? null, version);
  }
  for (const category of categories) {
    const page = await get(`/items?category=${category}&limit=100`);
    /** @type {Map<number, number>} */
    const shown = new Map(
      page?.data.map((/** @type {{ id: number, version: number }} */ { id, version }) => [id, version]),
    );
    for (const { key, version, category: own } of rows) {
      if (own === category || shown.has(key))
        note(key, `list ${category}`, shown.get(key) ?? null, own === category ? version : null);
    }
  }
  return left;
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
