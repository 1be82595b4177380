/** @typedef {import('../counters.js').Counters} Counters */

/** Where a read goes, from near to far. */
export const stations = /** @type {const} */ ([
  { id: 'api-l1', layer: 'api', level: 'l1', name: 'api L1', what: 'responses · this process' },
  { id: 'api-l2', layer: 'api', level: 'l2', name: 'api L2', what: 'responses · Redis' },
  { id: 'db-l1', layer: 'db', level: 'l1', name: 'db L1', what: 'rows, lists · this process' },
  { id: 'db-l2', layer: 'db', level: 'l2', name: 'db L2', what: 'rows, lists · Redis' },
  { id: 'database', name: 'PostgreSQL', what: 'loads' },
]);

/** Where answers come from, as the service tells it. */
export const origins = /** @type {const} */ ([
  { id: 'lane', name: 'api L1, fast lane' },
  { id: 'api-l1', name: 'api L1, through Nest' },
  { id: 'api-l2', name: 'api L2' },
  { id: 'db-l1', name: 'db L1' },
  { id: 'db-l2', name: 'db L2' },
  { id: 'database', name: 'PostgreSQL' },
]);

/**
 * How often each station was asked and answered, since the node began.
 * @param {Counters} counters
 * @returns {{ asked: number, answered: number }[]}
 */
export function traffic({ requests, loads }) {
  return stations.map((station) => {
    if (station.id === 'database') return { asked: loads.count, answered: loads.count };
    const { hit, stale, miss, bypass } = requests[station.layer][station.level];
    return { asked: hit + stale + miss + bypass, answered: hit + stale };
  });
}
