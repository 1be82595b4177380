// @ts-check
import { put } from '../row/state.mjs';
import { lease, nodesOf, told, withNode } from './nodes.mjs';
import { switchesOf } from './switches.mjs';
import { idle, initialPolicies, none, policyKey, settledOn } from './state.mjs';

/** @typedef {import('./state.mjs').PolicyConfig} PolicyConfig */
/** @typedef {import('./state.mjs').PolicyState} PolicyState */
/** @typedef {import('./state.mjs').Reader} Reader */
/** @typedef {import('./state.mjs').Writer} Writer */
/** @typedef {import('../engine.mjs').Step<PolicyState>} Step */

/**
 * Switches of policy: who writes and reads by which policy, while it changes. Strict is promised while the row says so, and
 * wherever a node says so.
 *
 * Bounds: one node that is read from, two switches, two writers, two reads. Of the cache there is as much as makes a mistake visible: one row
 * in L2, L1 under a lease, and what is shared without Redis; what fences refuse is the row model's. Not modelled: the
 * policies between `ttl` and `strict`, a node that ends in the middle of its switch (another one goes on, as a second switch
 * to the same policy does).
 * @param {PolicyConfig} config @param {import('../protocol.mjs').Protocol} protocol
 * @returns {import('../engine.mjs').Model<PolicyState>}
 */
export function policyModel(config, { rules }) {
  const nodes = nodesOf(rules);
  const switching = switchesOf(config, rules);

  /** @param {PolicyState} state @param {number} i @param {Partial<Reader>} change @returns {PolicyState} */
  const withReader = (state, i, change) => ({
    ...state,
    readers: put(state.readers, i, { .../** @type {Reader} */ (state.readers[i]), ...change }),
  });
  /** @param {PolicyState} state @param {number} i @param {Partial<Writer>} change @returns {PolicyState} */
  const withWriter = (state, i, change) => ({
    ...state,
    writers: put(state.writers, i, { .../** @type {Writer} */ (state.writers[i]), ...change }),
  });

  /**
   * The policy is locked first, and read behind the lock: `underLock` of `policy-store.ts`; a statement outside a transaction
   * is made one by `subscriber/statement-transactions.ts`.
   * @param {PolicyState} state @param {number} i @param {Step} step
   */
  function write(state, i, step) {
    const { at, policy } = /** @type {Writer} */ (state.writers[i]);
    const { known } = state.node;
    const W = `writer ${i}`;
    const bit = 1 << i;
    if (at === 'begin') {
      if (config.writers[i]?.alone && !rules.statementsAreTransactions) {
        // It would commit before anything could be read: by what its node knows.
        const knows = withWriter(state, i, {
          at: known.policy === 'strict' ? 'fence' : 'commit',
          running: true,
          policy: known.policy,
        });
        return step(() => `${W} writes by itself, as its node knows: ${known.policy}`, knows);
      }
      // Where the lock took one, the snapshot of the whole transaction would be of before it.
      const begun = withWriter(state, i, { at: 'lock', policy: state.row.policy });
      return step(() => `${W} begins`, begun);
    }
    if (at === 'lock') {
      const read = rules.lockTakesNoSnapshot ? state.row.policy : policy;
      const locked = withWriter(state, i, {
        at: read === 'strict' ? 'fence' : 'commit',
        running: true,
        locks: true,
        policy: read,
      });
      return step(() => `${W} locks the policy, and reads: ${read}`, locked);
    }
    if (at === 'fence') {
      const { l2 } = state;
      const fenced = told(
        { ...state, l2: { value: none, stamp: l2.stamp + 1, fenced: l2.fenced | bit } },
        'invalidation',
      );
      return step(() => `${W} FENCEs`, withWriter(fenced, i, { at: 'commit' }));
    }
    if (at !== 'commit') return;
    const version = state.version + 1;
    const committed = { ...state, version, committed: state.committed | bit, acked: version };
    step(
      () => `${W} (${policy}) COMMITS ${version}`,
      withWriter(committed, i, { at: 'done', running: false, locks: false }),
    );
  }

  /** @param {PolicyState} state @param {number} i @param {number} version @param {string} how @param {Step} step */
  function answer(state, i, version, how, step) {
    const { min, seen, judged, left } = /** @type {Reader} */ (state.readers[i]);
    const broken = judged ? (version < min ? 'R' : '') + (version < seen ? 'A' : '') : '';
    const next = withReader(state, i, { ...idle, left: left - 1 });
    step(
      () => `reader ${i} ${how} ${version}`,
      { ...next, seen: judged ? Math.max(state.seen, version) : state.seen },
      broken,
    );
  }

  /** @param {PolicyState} state @param {number} i @param {Step} step */
  function read(state, i, step) {
    const reader = /** @type {Reader} */ (state.readers[i]);
    const { node, now, l2, version, committed } = state;
    if (reader.at === 'idle' && reader.left > 0) {
      const promised = state.row.promised === 'strict' || nodes.policyOf(node, now) === 'strict';
      const keeps = nodes.rulesOf(node) !== 'strict';
      const judged = promised && now >= state.excusedUntil;
      const begun = withReader(state, i, { min: state.acked, seen: state.seen, judged, keeps });
      if (keeps && node.l1 !== none && now < node.leaseUntil) return answer(begun, i, node.l1, 'finds in L1', step);
      if (node.off) {
        const shares = nodes.sharesWithoutRedis(node, now);
        if (shares && node.shared !== none && now < node.sharedUntil)
          return answer(begun, i, node.shared, 'shares without Redis', step);
        const kept = shares ? withNode(begun, { shared: version, sharedUntil: now + lease }) : begun;
        return answer(kept, i, version, 'loads without Redis', step);
      }
      if (l2.value !== none) {
        const kept = keeps ? withNode(begun, { l1: l2.value }) : begun;
        return answer(kept, i, l2.value, 'finds in L2', step);
      }
      return step(() => `reader ${i} misses`, withReader(begun, i, { at: 'missed', stamp: l2.stamp }));
    }
    if (reader.at === 'missed')
      return step(
        () => `reader ${i} loads ${version}`,
        withReader(state, i, { at: 'loaded', version, saw: committed }),
      );
    if (reader.at !== 'loaded') return;
    const accepted = !node.off && reader.stamp === l2.stamp && (l2.fenced & ~reader.saw) === 0;
    const filled = accepted ? { ...state, l2: { ...l2, value: reader.version } } : state;
    const kept = accepted && reader.keeps ? withNode(filled, { l1: reader.version }) : filled;
    answer(kept, i, reader.version, accepted ? 'fills' : 'is refused, and returns', step);
  }

  /** @param {PolicyState} state @param {Step} step */
  function faults(state, step) {
    const { now, back } = state;
    // What bounds a row that goes back is how often it is read.
    const due = config.backs && (state.node.reading || state.node.polledAt < now);
    if (now < config.until && !due) step(() => `time ${now + 1}`, { ...state, now: now + 1 });
    if (!back) return;
    // With the history goes the generation, and with it all that is cached: the authority's model.
    const l2 = { value: none, stamp: state.l2.stamp + 1, fenced: 0 };
    const gone = told({ ...state, row: settledOn('ttl', 0), l2, back: false, excusedUntil: now + 2 }, 'invalidation');
    const writers = gone.writers.map((one) =>
      one.running ? { ...one, at: /** @type {const} */ ('done'), running: false, locks: false } : one,
    );
    step(() => 'the row goes back: ttl', { ...gone, writers });
  }

  return {
    initial: initialPolicies(config),
    key: policyKey,
    next: (state, step) => {
      if (state.readers.every(({ at, left }) => at === 'idle' && left === 0)) return;
      for (const i of state.writers.keys()) write(state, i, step);
      for (const i of state.readers.keys()) read(state, i, step);
      nodes.next(state, step);
      for (const i of state.switches.keys()) switching(state, i, step);
      faults(state, step);
    },
  };
}
