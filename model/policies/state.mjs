// @ts-check

/** @typedef {'ttl' | 'strict'} Policy the weakest and the strongest: what is between them writes no less than the one and reads no more than the other */

/** The row of `cache_policies`. @typedef {{ readonly policy: Policy, readonly promised: Policy, readonly target: Policy, readonly revision: number }} Row */

/**
 * @typedef {object} PolicyConfig
 * @property {Policy} from settled at the start
 * @property {readonly Policy[]} switches begun at any time, by other nodes
 * @property {readonly { readonly alone?: boolean }[]} writers on other nodes; alone: one statement outside a transaction; without its rule, one that commits by itself, as the node below knows the policy
 * @property {readonly number[]} readers how many reads of each
 * @property {boolean} [off] the readers' node has lost Redis, and with it the bus
 * @property {boolean} [deaf] it has Redis, hears nothing, and reads no policy: all that it does is ask L2
 * @property {boolean} [backs] the row may go back to `ttl`, once
 * @property {number} until how long time runs, in ticks: a lease is one
 */

/**
 * @typedef {object} Node
 * @property {Row} known as it was last read
 * @property {number} readAt when that read was sent
 * @property {number} heard messages that policies have changed
 * @property {number} followed those that had come when that read was sent
 * @property {{ readonly row: Row, readonly sentAt: number, readonly heard: number } | undefined} reading
 * @property {number} polledAt
 * @property {readonly ('policies' | 'invalidation')[]} inbox on their way to it
 * @property {boolean} off it has no Redis
 * @property {boolean} deaf
 * @property {number} leaseUntil
 * @property {number} beatAt
 * @property {number} l1 version; `none`
 * @property {number} shared without Redis
 * @property {number} sharedUntil
 */

/**
 * @typedef {object} Writer
 * @property {'begin' | 'lock' | 'fence' | 'commit' | 'done'} at
 * @property {boolean} running its transaction has begun, and not ended
 * @property {boolean} locks it holds the policy lock
 * @property {Policy} policy that it follows
 */

/**
 * @typedef {object} Reader
 * @property {'idle' | 'missed' | 'loaded'} at
 * @property {number} left
 * @property {number} min
 * @property {number} seen
 * @property {boolean} judged strict was promised when it began
 * @property {boolean} keeps whether its node's L1 may keep what it finds
 * @property {number} stamp of its ticket
 * @property {number} version that it has loaded
 * @property {number} saw bits of the writers that had committed
 */

/**
 * A switch, as its node works on it.
 * @typedef {object} Switch
 * @property {'aim' | 'aiming' | 'look' | 'step' | 'forget' | 'wait' | 'done'} at
 * @property {Row} row that its next step was decided on
 * @property {number} until when every node follows
 * @property {number} before bits of the transactions that have to end
 */

/**
 * @typedef {object} PolicyState
 * @property {number} now in ticks
 * @property {Row} row
 * @property {number} version of the data: how many have committed
 * @property {number} committed bits of the writers
 * @property {{ readonly value: number, readonly stamp: number, readonly fenced: number }} l2 fenced: bits of strict writers that a load must have seen
 * @property {Node} node that the readers ask
 * @property {readonly Writer[]} writers
 * @property {readonly Reader[]} readers
 * @property {readonly Switch[]} switches
 * @property {number} excusedUntil
 * @property {boolean} back whether the row may still go back
 * @property {number} acked
 * @property {number} seen
 */

export const none = -1;

/** @param {Policy} policy @param {number} revision @returns {Row} */
export const settledOn = (policy, revision) => ({ policy, promised: policy, target: policy, revision });

/** @type {Reader} */
export const idle = { at: 'idle', left: 0, min: 0, seen: 0, judged: false, keeps: false, stamp: 0, version: 0, saw: 0 };

/** Everything is cached, under leases that have just begun. @param {PolicyConfig} config @returns {PolicyState} */
export function initialPolicies({ from, switches, writers, readers, off = false, deaf = false, backs = false }) {
  const row = settledOn(from, 1);
  return {
    now: 0,
    row,
    version: 0,
    committed: 0,
    l2: { value: 0, stamp: 0, fenced: 0 },
    node: {
      ...{ known: row, readAt: 0, heard: 0, followed: 0, reading: undefined, polledAt: 0, inbox: [], off, deaf },
      ...{ leaseUntil: off || deaf ? 0 : 1, beatAt: 0, l1: off || from === 'strict' ? none : 0 },
      ...{ shared: off && from === 'ttl' ? 0 : none, sharedUntil: off ? 1 : 0 },
    },
    writers: writers.map(() => ({ at: 'begin', running: false, locks: false, policy: from })),
    readers: readers.map((left) => ({ ...idle, left })),
    switches: switches.map(() => ({ at: 'aim', row, until: 0, before: 0 })),
    excusedUntil: 0,
    back: backs,
    acked: 0,
    seen: 0,
  };
}

/** @param {Row} row */
const rowKey = ({ policy, promised, target, revision }) => `${policy[0]}${promised[0]}${target[0]}${revision}`;

/** @param {Node} node @param {number} now */
const nodeKey = ({ known, readAt, heard, followed, reading, polledAt, inbox, leaseUntil, beatAt, l1, ...rest }, now) =>
  `${rowKey(known)}@${readAt < now ? '' : 'r'}h${heard === followed ? '' : '!'}` +
  (reading ? `${rowKey(reading.row)}@${reading.sentAt < now ? '' : 'r'}h${heard === reading.heard ? '' : '!'}` : '') +
  `p${polledAt < now ? '' : 'p'}${inbox.map(([letter]) => letter).join('')}` +
  `l${leaseUntil > now ? `${leaseUntil}.${l1}` : ''}${beatAt < now ? '' : 'b'}s${rest.sharedUntil > now ? `${rest.sharedUntil}.${rest.shared}` : ''}`;

/** @param {PolicyState} state */
export function policyKey({ now, row, version, committed, l2, node, writers, readers, switches, ...rest }) {
  return [
    `${now}${rowKey(row)}v${version}.${committed};${l2.value}.${l2.fenced};${rest.excusedUntil}${rest.back ? 'b' : ''}${rest.acked}.${rest.seen}`,
    nodeKey(node, now),
    writers
      .map(({ at, running, locks, policy }) => `${at[0]}${running ? 'r' : ''}${locks ? 'l' : ''}${policy[0]}`)
      .join(),
    readers
      .map((reader) =>
        reader.at === 'idle'
          ? reader.left
          : `${reader.at[0]}${reader.left}${reader.min}${reader.seen}${reader.judged ? 'j' : ''}${reader.keeps ? 'k' : ''}${reader.stamp === l2.stamp ? '=' : '!'}${reader.version}.${reader.saw}`,
      )
      .join(),
    switches
      .map(({ at, row: seen, until, before }) => (at === 'done' ? 'd' : `${at}${rowKey(seen)}${until}.${before}`))
      .join(),
  ].join('#');
}
