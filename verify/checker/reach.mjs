// @ts-check
import { policies } from './history.mjs';

/** @typedef {import('./history.mjs').History} History */
/** @typedef {import('./history.mjs').Fault} Fault */
/** @typedef {import('./row-order.mjs').Certainty} Certainty */

/** Between two attempts to reach Redis a node waits about as long as it has been trying, but no longer than this, in ms. */
const longestRetryMs = 800;
/** What an attempt itself may take, on a busy machine, where a connection was refused or where it was left hanging, in ms. */
const attemptMs = { refused: 500, hanging: 1_000 };
/** Faults during which a node may fail to tell Redis of what it has committed. */
const cutsWriters = new Set([
  ...['partition', 'slow-redis', 'redis-restart', 'redis-old-rdb', 'redis-reconnect', 'flush', 'pause'],
]);
/** Faults during which, and one lease after which, a node may not hear what others have committed. */
const cutsReaders = new Set([...cutsWriters, 'bus-partition', 'kill']);

/** How a node says that it has lost Redis, be it to a fault or to a machine that is too busy to meet a deadline. */
const withoutRedis = /detail=(?:redis|no-epoch)\b/;
/** For how long after an operator has cleared the cache such words are no excuse: Redis was there. In ms. */
const clearedMs = 2_000;
/** How soon after a write its node must have said so, in ms. */
const saidWithinMs = 500;

/**
 * How sure it is that a version was told to every node before it was acknowledged. `strict` makes no difference: a write
 * that cannot be told of fails. Under the weaker policies, and while a switch is under way, it does not, and is told later.
 * @param {Pick<History, 'policy' | 'faults' | 'reads'>} history
 * @returns {(version: import('./truth.mjs').Version) => Certainty}
 */
export function certaintyBy({ policy, faults, reads }) {
  const switches = faults.filter(({ name }) => name === 'switch');
  const saidSo = policy === 'strict' && switches.length === 0 ? () => false : lossesIn({ faults, reads });
  const cuts = faults.filter(({ name }) => cutsWriters.has(name));
  return ({ write, restored }) => {
    if (!write || restored) return 'sure';
    if (write.source === 'sql') return 'sql';
    if (policy === 'strict' && !switches.some((fault) => overlaps(fault, write, 0))) return 'sure';
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

/** Until when a policy that was switched while a node could not be told may still be its answers', in ms. */
const switchedMs = 500;

/**
 * What a read may rely on: while policies are switched, what its own answer names; else the run's policy.
 * @param {Pick<History, 'policy' | 'faults'>} history
 * @returns {(read: import('./history.mjs').Read) => import('./history.mjs').Policy}
 */
export function promiseBy({ policy, faults }) {
  const switches = faults.filter(({ name }) => name === 'switch');
  return (read) => {
    if (!switches.some((fault) => overlaps(fault, read, switchedMs))) return policy;
    const named = [...read.cacheStatus.matchAll(/strata-policy=([\w-]+)/g)].at(-1)?.[1];
    return policies.find((known) => known === named) ?? policy;
  };
}

/** What a refused operation is excused by: it needs Redis and PostgreSQL. */
const excuses = new Set([
  ...cutsWriters,
  'bus-partition',
  'kill',
  'redis-move',
  'pg-restart',
  'pg-restore',
  'pg-promote',
  'pg-terminate',
  'pg-cut',
]);

/** Whether a fault was in force that excuses a refusal. @param {Pick<History, 'faults'>} history @returns {(refusal: import('./history.mjs').Refusal) => boolean} */
export function excusedBy({ faults }) {
  const known = faults.filter(({ name }) => excuses.has(name));
  return (refusal) =>
    known.some((fault) => concerns(fault, refusal.node) && overlaps(fault, refusal, reconnectMs(fault)));
}

/**
 * Whether the node of a write said, during it or right after it, that it is without Redis.
 * @param {Pick<History, 'faults' | 'reads'>} history
 * @returns {(write: { node: number, invokedMs: number, completedMs: number }) => boolean}
 */
function lossesIn({ faults, reads }) {
  const clears = faults.filter(({ name }) => name === 'clear');
  /** @type {Map<number, number[]>} */
  const byNode = new Map();
  for (const read of reads) {
    const { node, completedMs, cacheStatus } = read;
    if (!withoutRedis.test(cacheStatus)) continue;
    if (clears.some((fault) => overlaps(fault, read, clearedMs))) continue;
    const times = byNode.get(node) ?? [];
    byNode.set(node, times);
    times.push(completedMs);
  }
  return ({ node, invokedMs, completedMs }) =>
    (byNode.get(node) ?? []).some((atMs) => atMs >= invokedMs && atMs <= completedMs + saidWithinMs);
}

/** How long a node may need to reach Redis again once a fault is healed. @param {Fault} fault */
function reconnectMs({ name, fromMs, untilMs }) {
  const attempt = name === 'flush' || name.startsWith('redis-') ? attemptMs.refused : attemptMs.hanging;
  return Math.min(longestRetryMs, untilMs - fromMs + 50) + attempt;
}

/** @param {Fault} fault @param {number} node */
const concerns = (fault, node) => fault.node === undefined || fault.node === node;

/** @param {Fault} fault @param {{ invokedMs: number, completedMs: number }} times @param {number} afterwardsMs */
const overlaps = ({ fromMs, untilMs }, { invokedMs, completedMs }, afterwardsMs) =>
  fromMs <= completedMs && invokedMs <= untilMs + afterwardsMs;
