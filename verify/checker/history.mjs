// @ts-check
/**
 * What a run records and the checker judges. All times are milliseconds on one monotonic clock, the harness's own: noted
 * before a request is sent and after its answer is complete, so that an interval is never shorter than what it stands for.
 */

/** @typedef {number | string} Key the id of an item, or `entity:id` of any other entity's row */

/**
 * One attempt to change one row. Nothing else ever writes its name to this row.
 * @typedef {object} Write
 * @property {'service' | 'sql'} source noticed by the service, or out-of-band
 * @property {number} node which one; -1 if none
 * @property {string} [kind] how it was written
 * @property {Key} key
 * @property {string} name
 * @property {string} category
 * @property {number} invokedMs
 * @property {number} completedMs
 * @property {'ok' | 'unknown' | 'failed'} outcome `unknown`: no answer or a 5xx, it may have happened, also later
 * @property {number} [version] as answered; where an answer has none, the database's note of the name tells
 * @property {boolean} [doomed] the database refuses it at COMMIT, so that it must never be seen
 * @property {number} [status]
 */

/** @typedef {[key: Key, version: number, name: string]} Seen a row as it was answered */

/**
 * @typedef {object} Read
 * @property {number} node
 * @property {Key} [key] of a row; absent for a list
 * @property {string} [category] of a list; absent for a row. An answer of both is a row and, after it, a list
 * @property {'id' | 'name' | '-name'} [sort] of a list
 * @property {'HEAD' | '304'} [via] how the answer said which rows it stands for, where it did not show them
 * @property {string} [etag] stands for the rows, until the same tag is seen on an answer that shows them
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

/**
 * What the database itself noted of a version. A row that was removed has no category. `era` counts how often the database
 * went back before; `tx` names the transaction.
 * @typedef {{ key: Key, version: number, name: string, category: string | null, era?: number, tx?: string }} Committed
 */

/**
 * The database went back: it kept these versions, the newest of each row, and lost what came after them.
 * @typedef {{ era: number, fromMs: number, untilMs: number, kept: [key: Key, version: number][] }} Loss
 */

/** An operation that a node refused. @typedef {{ what: string, node: number, status: number, invokedMs: number, completedMs: number }} Refusal */

/** @typedef {{ node: number, key: Key, place: string, version: number | null, expected: number | null }} Left what was kept somewhere at the end, next to the database */

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
 * @property {Loss[]} [losses] oldest first
 * @property {Refusal[]} [refusals]
 */

/** The longest that a value may be served at all, in ms. @param {Settings} settings */
export const longestLifeMs = ({ ttlMs, jitter, staleMs }) => ttlMs * (1 + jitter) + staleMs;

/** What a node that hears nothing more may still serve from its own memory, in ms. @param {Settings} settings */
export const cutOffMs = ({ leaseMs, redisTimeoutMs }) => leaseMs + redisTimeoutMs;

/**
 * How long after the database has come back with less than it had, a version that it lost may still be served, in ms: each
 * node compares once a second, connects anew, and ends the generation; L1s learn that within a lease and a deadline.
 * @param {Settings} settings
 */
export const goneBackMs = (settings) => 2_000 + cutOffMs(settings);

/**
 * Whether a row of this category is in a list. A list that ends in `/` has all categories that begin with it.
 * @param {string} list
 * @param {string | null | undefined} category
 */
export const isIn = (list, category) =>
  category === list || (list.endsWith('/') && (category?.startsWith(list) ?? false));

/** "Rule of three": with no event in n trials, the rate is below this with 95 % confidence. @param {number} n */
export const upperBound = (n) => (n > 0 ? 3 / n : 1);
