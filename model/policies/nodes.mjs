// @ts-check
/** @typedef {import('./state.mjs').Node} Node */
/** @typedef {import('./state.mjs').Policy} Policy */
/** @typedef {import('./state.mjs').PolicyState} PolicyState */
/** @typedef {import('../protocol.mjs').Rules} Rules */
/** @typedef {import('../engine.mjs').Step<PolicyState>} Step */

/** How long a node may serve from its memory unheard, in ticks. */
export const lease = 1;

/** @param {PolicyState} state @param {Partial<Node>} change @returns {PolicyState} */
export const withNode = (state, change) => ({ ...state, node: { ...state.node, ...change } });

/** Twice the same is heard as once. @param {PolicyState} state @param {Node['inbox'][number]} message to whoever is on the bus @returns {PolicyState} */
export function told(state, message) {
  const { off, deaf, inbox } = state.node;
  return off || deaf || inbox.at(-1) === message ? state : withNode(state, { inbox: [...inbox, message] });
}

/**
 * What a node knows of the policies, and by whose rules its readers go: `src/invalidation/policies/policy-registry.ts`; and
 * the lease under which it hears of them, `src/invalidation/bus`.
 * @param {Rules} rules
 */
export function nodesOf(rules) {
  /** What it promises. @param {Node} node @param {number} now @returns {Policy} */
  const policyOf = ({ known, readAt }, now) =>
    rules.promiseIsConfirmed && now >= readAt + lease ? 'ttl' : known.promised;

  /** Whose rules its readers keep. @param {Node} node @returns {Policy} */
  function rulesOf({ known, heard, followed }) {
    if (heard !== followed && rules.toldIsStrict) return 'strict';
    const { policy, promised, target } = known;
    return rules.underWayIsStrict && (policy === 'strict' || target === 'strict') ? 'strict' : promised;
  }

  /** Whether it may share what it loads without Redis. @param {Node} node @param {number} now */
  const sharesWithoutRedis = (node, now) =>
    rulesOf(node) !== 'strict' && (now < node.readAt + lease || !rules.sharesConfirmed);

  /** Reads the row. @param {Node} node @param {import('./state.mjs').Row} row @param {number} sentAt @param {number} heard @returns {Node} */
  function follow(node, row, sentAt, heard) {
    const known = rules.rowIsFollowed || row.revision >= node.known.revision ? row : node.known;
    return { ...node, known, readAt: sentAt, followed: heard, reading: undefined };
  }

  /** @param {PolicyState} state @param {Step} step */
  function next(state, step) {
    const { node, now, row } = state;
    const { reading, heard, followed, inbox, off, deaf } = node;
    if (deaf) return;
    const [message, ...later] = inbox;
    /** @param {Node} to @returns {Node} behind all the messages that are on their way to it */
    const hears = (to) =>
      to.inbox.reduce((one, each) => (each === 'policies' ? { ...one, heard: one.heard + 1 } : { ...one, l1: -1 }), {
        ...to,
        inbox: [],
      });
    if (message) {
      const heard = hears({ ...node, inbox: [message] });
      step(() => `the node hears: ${message}`, withNode(state, { ...heard, inbox: later }));
    }
    if (!off && node.beatAt < now) {
      const beats = { ...hears(node), leaseUntil: now + lease, beatAt: now };
      step(() => 'the node renews its lease, behind all messages', withNode(state, beats));
    }
    if (!reading && (node.polledAt < now || heard !== followed)) {
      const sent = { reading: { row, sentAt: now, heard }, polledAt: now };
      step(() => `the node reads: ${row.policy}, promised ${row.promised}`, withNode(state, sent));
    }
    if (reading) {
      const followed = follow(node, reading.row, reading.sentAt, reading.heard);
      step(() => `the node knows: ${reading.row.policy}, promised ${reading.row.promised}`, withNode(state, followed));
    }
  }

  return { next, policyOf, rulesOf, sharesWithoutRedis };
}
