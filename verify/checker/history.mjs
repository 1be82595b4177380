// @ts-check
/**
 * What a run records and the checker judges. All times are milliseconds on one monotonic clock, the harness's own: noted
 * before a request is sent and after its answer is complete, so that an interval is never shorter than what it stands for.
 */

/**
 * One attempt to change one row. Its name is a value that nothing else ever writes.
 * @typedef {object} Write
 * @property {'service' | 'sql'} source through a node, or out-of-band
 * @property {number} node which one; -1 for `sql`
 * @property {number} key
 * @property {string} name
 * @property {string} category
 * @property {number} invokedMs
 * @property {number} completedMs
 * @property {'ok' | 'unknown' | 'failed'} outcome `unknown`: no answer or a 5xx, it may have happened, also later
 * @property {number} [version] as answered; only if `ok`
 * @property {boolean} [doomed] the database refuses it at COMMIT, so that it must never be seen
 * @property {number} [status]
 */

/** @typedef {[key: number, version: number, name: string]} Seen a row as it was answered */

/**
 * @typedef {object} Read
 * @property {number} node
 * @property {number} [key] of a row; absent for a list
 * @property {string} [category] of a list; absent for a row
 * @property {Seen[]} rows what was answered; empty for a row that was said to be absent
 * @property {number} invokedMs
 * @property {number} completedMs
 * @property {'ok' | 'failed'} outcome
 * @property {number} [status]
 * @property {string} cacheStatus
 */

/**
 * @typedef {object} Fault
 * @property {string} name
 * @property {number} [node] all nodes if absent
 * @property {number} fromMs
 * @property {number} untilMs when it was healed
 * @property {string} [detail]
 */

/** @typedef {{ key: number, version: number, name: string, category: string }} Committed what the database itself noted */

/** @typedef {{ node: number, key: number, place: string, version: number | null, expected: number | null }} Left what was kept somewhere at the end, next to the database */

/**
 * @typedef {object} Settings
 * @property {number} leaseMs
 * @property {number} redisTimeoutMs
 * @property {number} ttlMs
 * @property {number} jitter
 * @property {number} staleMs
 */

/** Weak to strong. */
export const policies = /** @type {const} */ (['ttl', 'invalidate', 'write-through', 'strict']);

/** @typedef {(typeof policies)[number]} Policy */

/**
 * @typedef {object} History
 * @property {Policy} policy
 * @property {Settings} settings
 * @property {Committed[]} seeds the rows before the first write
 * @property {Write[]} writes
 * @property {Read[]} reads
 * @property {Fault[]} faults
 * @property {Committed[]} [committed] every version that there ever was, if the database noted it; else it is inferred
 * @property {Left[]} left
 */

/** The longest that a value may be served at all, in ms. @param {Settings} settings */
export const longestLifeMs = ({ ttlMs, jitter, staleMs }) => ttlMs * (1 + jitter) + staleMs;

/** What a node that hears nothing more may still serve from its own memory, in ms. @param {Settings} settings */
export const cutOffMs = ({ leaseMs, redisTimeoutMs }) => leaseMs + redisTimeoutMs;

/** "Rule of three": with no event in n trials, the rate is below this with 95 % confidence. @param {number} n */
export const upperBound = (n) => (n > 0 ? 3 / n : 1);
