// @ts-check
/** @typedef {typeof nodeFaults[number]} NodeFault */
/** @typedef {typeof serverFaults[number]} ServerFault */
/** @typedef {typeof sharedFaults[number]} SharedFault */
/** @typedef {NodeFault | SharedFault} FaultName */

/** Faults of one node at a time. */
export const nodeFaults = /** @type {const} */ (['kill', 'pause', 'partition', 'bus-partition', 'slow-redis']);

/** Faults of a PostgreSQL server, which must then be the run's own. */
export const serverFaults = /** @type {const} */ (['pg-restart', 'pg-promote', 'pg-restore']);

/** Faults of what all nodes share; they come at the same time as those of a node. */
export const sharedFaults = /** @type {const} */ ([
  'clear',
  'switch',
  'flush',
  'redis-restart',
  'redis-old-rdb',
  'redis-move',
  'rollback',
  'pg-terminate',
  'pg-cut',
  ...serverFaults,
  'sql',
]);

/** @type {readonly FaultName[]} */
export const faultNames = [...nodeFaults, ...sharedFaults];
