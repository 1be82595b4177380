// @ts-check
import { httpLoad } from '../load/http-load.mjs';
import { Nodes, uncached } from '../nodes.mjs';
import { rowHits } from './row-hits.mjs';

/** @typedef {import('../measure/race.mjs').Subject} Subject */

const rows = 1_000;

/** @type {import('../scenarios.mjs').Scenario} */
export const cost = {
  name: 'cost',
  title: 'what a write costs under each policy, and a hit in Redis',
  async open(surroundings) {
    const nodes = await Nodes.open(surroundings);
    const putTo = async (
      /** @type {string} */ name,
      /** @type {string} */ what,
      /** @type {NodeJS.ProcessEnv} */ env,
    ) => puts(name, what, await nodes.start(name, env, rows));
    const subjects = await Promise.all([
      putTo('uncached', 'PUT, all cache layers and levels off, policy ttl', uncached),
      putTo('invalidate', 'PUT under invalidate', { CACHE_POLICY: 'invalidate' }),
      putTo('write-through', 'PUT under write-through', { CACHE_POLICY: 'write-through' }),
      putTo('strict', 'PUT under strict', { CACHE_POLICY: 'strict' }),
    ]);
    const writes = {
      ...{ name: 'PUT, one at a time', subjects, control: 'uncached', rounds: 100, sliceMs: 120, warmUpMs: 3_000 },
      targets: /** @type {import('../measure/race.mjs').Target[]} */ ([
        { of: 'strict', to: 'uncached', metric: 'p50', atMost: 2 },
        { of: 'write-through', to: 'uncached', metric: 'p50', atMost: 1.7 },
        { of: 'invalidate', to: 'uncached', metric: 'p50', atMost: 1.5 },
      ]),
    };
    return [writes, await rowHits(nodes, surroundings)];
  },
};

/** One PUT after the other, each of another row than the one before. @param {string} name @param {string} what @param {URL} url @returns {Subject} */
function puts(name, what, url) {
  let count = 0;
  const next = () => {
    const id = 1 + (count++ % rows);
    const body = JSON.stringify({
      ...{ name: `Item ${id}`, description: 'A description of some length. '.repeat(10) },
      ...{ category: `category-${id % 20}`, price: count % 10_000, quantity: count },
    });
    const head = `PUT /items/${id} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: application/json`;
    return `${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  };
  return { name, what, drive: httpLoad({ url, next, status: 200, connections: 1 }) };
}
