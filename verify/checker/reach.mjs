// @ts-check
/** @typedef {import('./history.mjs').History} History */
/** @typedef {import('./history.mjs').Fault} Fault */
/** @typedef {import('./row-order.mjs').Certainty} Certainty */

/** Between two attempts to reach Redis a node waits about as long as it has been trying, but no longer than this, in ms. */
const longestRetryMs = 800;
/** What an attempt itself may take, on a busy machine, where a connection was refused or where it was left hanging, in ms. */
const attemptMs = { refused: 500, hanging: 1_000 };
/** Faults during which a node may fail to tell Redis of what it has committed. */
const cutsWriters = new Set(['partition', 'slow-redis', 'redis-restart', 'flush', 'pause']);
/** Faults during which, and one lease after which, a node may not hear what others have committed. */
const cutsReaders = new Set([...cutsWriters, 'bus-partition', 'kill']);

/** How a node says that it has lost Redis, be it to a fault or to a machine that is too busy to meet a deadline. */
const withoutRedis = /detail=(?:redis|no-epoch)\b/;
/** How soon after a write its node must have said so, in ms. */
const saidWithinMs = 500;

/**
 * How sure it is that a version was told to every node before it was acknowledged. `strict` makes no difference: a write
 * that cannot be told of fails. Under the weaker policies it does not, and is told later.
 * @param {Pick<History, 'policy' | 'faults' | 'reads'>} history
 * @returns {(version: import('./truth.mjs').Version) => Certainty}
 */
export function certaintyBy({ policy, faults, reads }) {
  const saidSo = policy === 'strict' ? () => false : lossesIn(reads);
  const cuts = faults.filter(({ name }) => cutsWriters.has(name));
  return ({ write }) => {
    if (!write) return 'sure';
    if (write.source === 'sql') return 'sql';
    if (policy === 'strict') return 'sure';
    if (write.outcome !== 'ok') return 'cut';
    const cut = cuts.some((fault) => concerns(fault, write.node) && overlaps(fault, write, reconnectMs(fault)));
    return cut || saidSo(write) ? 'cut' : 'sure';
  };
}

/**
 * Whether a fault may have kept a node from hearing something at a time.
 * @param {Pick<History, 'settings' | 'faults'>} history
 * @returns {(node: number, times: { invokedMs: number, completedMs: number }) => boolean}
 */
export function cutOffBy({ faults, settings: { leaseMs } }) {
  const cuts = faults.filter(({ name }) => cutsReaders.has(name));
  return (node, times) =>
    cuts.some((fault) => concerns(fault, node) && overlaps(fault, times, reconnectMs(fault) + leaseMs));
}

/**
 * Whether the node of a write said, during it or right after it, that it is without Redis.
 * @param {History['reads']} reads
 * @returns {(write: { node: number, invokedMs: number, completedMs: number }) => boolean}
 */
function lossesIn(reads) {
  /** @type {Map<number, number[]>} */
  const byNode = new Map();
  for (const { node, completedMs, cacheStatus } of reads) {
    if (!withoutRedis.test(cacheStatus)) continue;
    const times = byNode.get(node) ?? [];
    byNode.set(node, times);
    times.push(completedMs);
  }
  return ({ node, invokedMs, completedMs }) =>
    (byNode.get(node) ?? []).some((atMs) => atMs >= invokedMs && atMs <= completedMs + saidWithinMs);
}

/** How long a node may need to reach Redis again once a fault is healed. @param {Fault} fault */
function reconnectMs({ name, fromMs, untilMs }) {
  const attempt = name === 'flush' || name === 'redis-restart' ? attemptMs.refused : attemptMs.hanging;
  return Math.min(longestRetryMs, untilMs - fromMs + 50) + attempt;
}

/** @param {Fault} fault @param {number} node */
const concerns = (fault, node) => fault.node === undefined || fault.node === node;

/** @param {Fault} fault @param {{ invokedMs: number, completedMs: number }} times @param {number} afterwardsMs */
const overlaps = ({ fromMs, untilMs }, { invokedMs, completedMs }, afterwardsMs) =>
  fromMs <= completedMs && invokedMs <= untilMs + afterwardsMs;
