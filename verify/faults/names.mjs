// @ts-check
/** @typedef {typeof nodeFaults[number]} NodeFault */
/** @typedef {typeof sharedFaults[number]} SharedFault */
/** @typedef {NodeFault | SharedFault} FaultName */

/** Faults of one node at a time. */
export const nodeFaults = /** @type {const} */ (['kill', 'pause', 'partition', 'bus-partition', 'slow-redis']);

/** Faults of what all nodes share; they come at the same time as those of a node. */
export const sharedFaults = /** @type {const} */ ([
  'flush',
  'redis-restart',
  'rollback',
  'pg-terminate',
  'pg-cut',
  'sql',
]);

/** @type {readonly FaultName[]} */
export const faultNames = [...nodeFaults, ...sharedFaults];
