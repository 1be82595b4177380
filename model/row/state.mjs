// @ts-check
import { postgres, postgresKey } from '../world/postgres.mjs';
import { beginningKey, emptySet, setKey } from '../world/redis.mjs';

/** @typedef {import('../world/postgres.mjs').Postgres} Postgres */
/** @typedef {import('../world/redis.mjs').DataSet} DataSet */
/** @typedef {import('../world/redis.mjs').Stamps} Stamps */
/** @typedef {import('../world/redis.mjs').Name} Name */
/** @typedef {import('../../src/cache/core/snapshot.js').Snapshot} Snapshot */
/** @typedef {'ttl' | 'invalidate' | 'write-through' | 'strict' | 'raw'} WriterKind raw: SQL past the application */
/** @typedef {'crash' | 'rollback' | 'unknown' | 'flush' | 'expiry' | 'eviction' | 'clear' | 'cut' | 'failover' | 'late' | 'replay' | 'operator' | 'neighbour' | 'slowInit' | 'join'} Fault */

/**
 * @typedef {object} RowConfig
 * @property {readonly { readonly kind: WriterKind, readonly bulk?: boolean, readonly node?: number }[]} writers
 *   bulk: the changed rows are not known, so the coarse tag stands for them
 * @property {readonly { readonly reads: number, readonly node?: number }[]} readers
 * @property {number} [nodes]
 * @property {'value' | 'nothing' | 'cold'} [cached] at the start: a value, a hash without one, not even a generation
 * @property {Partial<Record<Fault, number>>} [faults] how often each may happen
 * @property {Name} [operated] the tag that an operator invalidates
 * @property {boolean} [feed] every commit becomes a FENCE, some time
 * @property {boolean} [unproven] loads may come from a standby, an older snapshot, or the writer's own transaction
 * @property {boolean} [switches] from the first writer's policy to strict; what is read before is not judged
 */

/**
 * @typedef {object} NodeState
 * @property {number} gen of its connection; 0: not connected
 * @property {0 | 1 | 2} installing 1: it holds `init`; 2: it has the epoch, too
 * @property {import('../world/redis.mjs').Beginning | undefined} [beginning] of the generation that it installs
 * @property {boolean} cut from Redis
 * @property {boolean} [held] its connection outlived the first promotion: it talks to what is a replica now
 * @property {readonly { readonly names: readonly Name[], readonly xid: number, readonly xmin: number }[]} journal
 */

/**
 * @typedef {object} Writer
 * @property {'begin' | 'lock' | 'ticket' | 'fence' | 'commit' | 'load' | 'release' | 'undo' | 'replay' | 'done'} at
 * @property {boolean} early its FENCE is executed before its COMMIT
 * @property {number} xid
 * @property {number} xmin
 * @property {number} value what it writes
 * @property {string} nonce '': it has no ticket
 * @property {number} gen of its ticket
 * @property {number} loaded after its COMMIT
 * @property {Snapshot} [snapshot] of that load
 * @property {boolean} hung the server has its COMMIT, but its answer was lost
 * @property {boolean} acks whether its end is a success for the client
 */

/**
 * @typedef {object} Reader
 * @property {'idle' | 'open' | 'answering' | 'missed' | 'loaded'} at
 * @property {number} left
 * @property {number} min lowest version that it may return: the last one acknowledged before it began
 * @property {number} seen the last one returned before it began
 * @property {string} nonce '': it has no ticket
 * @property {number} gen
 * @property {boolean} judged
 * @property {number} value
 * @property {Snapshot} [snapshot]
 * @property {{ readonly min: number, readonly seen: number }} [joined]
 */

/**
 * A command whose caller has given up, and which is executed none the less.
 * @typedef {{ readonly gen: number, readonly text: string, readonly run: (set: DataSet) => DataSet, readonly key: (sets: readonly DataSet[]) => string }} Late
 */

/**
 * @typedef {object} RowState
 * @property {Postgres} pg
 * @property {readonly DataSet[]} sets of the two Redis servers
 * @property {number} primary which of them answers
 * @property {number} promotions
 * @property {number} gens how many generations there have been
 * @property {readonly NodeState[]} nodes
 * @property {readonly Writer[]} writers
 * @property {readonly Reader[]} readers
 * @property {Late} [late]
 * @property {number} acked highest version that was acknowledged to a client
 * @property {number} seen highest version that was returned to a client
 * @property {number} fed bits of the writers whose commit came through the feed
 * @property {0 | 1 | 2 | 3} switched 1: all write strictly; 2: all from before has ended; 3: promised
 * @property {number} switchXid a transaction id from after the first of these
 * @property {number} tickets how many were taken
 * @property {Partial<Record<Fault, number>>} left faults
 */

export const idle = { nonce: '', gen: 0, judged: true, value: 0, min: 0, seen: 0 };

const unstarted = { early: false, xid: 0, xmin: 0, value: 0, nonce: '', gen: 0, loaded: 0, hung: false, acks: true };

/** @param {RowConfig} config @param {boolean} promotionIsSeen @returns {RowState} */
export function initialRow({ writers, readers, nodes = 1, cached = 'value', faults = {} }, promotionIsSeen) {
  const cold = cached === 'cold';
  /** @type {import('../world/redis.mjs').TagState} */
  const tag = { stamp: 'r', pend: [], fence: [], ff: 0, tickets: {} };
  const value = cached === 'value' ? { value: { body: '0', coarse: 'c' } } : {};
  const warm = { gen: 1, beginning: { epoch: 5, writers: [] }, identity: identityOf('A', 0, promotionIsSeen) };
  const set = { ...emptySet('A'), ...warm, row: { ...tag, ...value }, coarse: { ...tag, stamp: 'c' } };
  return {
    pg: postgres,
    sets: [cold ? emptySet('A') : set, emptySet('B')],
    primary: 0,
    promotions: 0,
    gens: cold ? 0 : 1,
    nodes: Array.from({ length: nodes }, () => ({
      gen: cold ? 0 : 1,
      installing: 0,
      cut: false,
      journal: [],
    })),
    writers: writers.map(() => ({ at: 'begin', ...unstarted })),
    readers: readers.map(({ reads }) => ({ ...idle, at: 'idle', left: reads })),
    acked: 0,
    seen: 0,
    fed: 0,
    switched: 0,
    switchXid: 0,
    tickets: 0,
    left: faults,
  };
}

/** What a node compares when it connects. @param {string} id @param {number} promotions @param {boolean} promotionIsSeen */
export const identityOf = (id, promotions, promotionIsSeen) => (promotionIsSeen ? id + promotions : id);

/**
 * @template T
 * @param {readonly T[]} array @param {number} at @param {T} item
 * @returns {readonly T[]}
 */
export const put = (array, at, item) => array.with(at, item);

/** @param {RowState} state @returns {DataSet} */
export const answering = (state) => /** @type {DataSet} */ (state.sets[state.primary]);

/** @param {RowState} state @param {DataSet} set @returns {RowState} */
export const withSet = (state, set) => ({ ...state, sets: put(state.sets, state.primary, set) });

/** @param {RowState} state @param {number} at @param {Partial<NodeState>} change @returns {RowState} */
export function withNode(state, at, change) {
  const node = /** @type {NodeState} */ (state.nodes[at]);
  return { ...state, nodes: put(state.nodes, at, { ...node, ...change }) };
}

/** @param {RowState} state @param {Fault} fault @returns {RowState} with one less of it to come */
export const spent = (state, fault) => ({ ...state, left: { ...state.left, [fault]: (state.left[fault] ?? 0) - 1 } });

/** Names are chance, what they are equal to is not. @param {readonly DataSet[]} sets @param {Stamps} stamps */
export const stampsKey = (sets, { stamp, coarse }) =>
  sets.map((set) => (set.row?.stamp === stamp ? 1 : 0) + (set.coarse?.stamp === coarse ? 2 : 0)).join('');

/** @param {readonly DataSet[]} sets @param {string} nonce */
export const ticketKey = (sets, nonce) =>
  sets
    .map(({ row, coarse }) => {
      const seen = row?.tickets[nonce];
      return seen === undefined ? '-' : seen === coarse?.stamp ? '=' : '!';
    })
    .join('');

/** @param {Snapshot | undefined} snapshot */
export const snapshotKey = (snapshot) =>
  snapshot ? `${snapshot.xmin}:${snapshot.xmax}:${snapshot.running.join()}` : '';

/** @param {RowConfig} config */
export function rowKeyOf(config) {
  const recalled = (config.feed ?? false) || (config.faults?.replay ?? 0) > 0;

  /** @param {Writer} writer @param {readonly DataSet[]} sets */
  const writerKey = ({ at, early, xid, xmin, value, nonce, gen, loaded, snapshot, hung, acks }, sets) =>
    at === 'done' && !hung && !recalled
      ? 'd'
      : `${at[0]}${at[2]}${xid}.${xmin}.${value}${nonce ? `t${gen}${ticketKey(sets, nonce)}` : ''}${snapshot ? `l${loaded}.${snapshotKey(snapshot)}` : ''}${hung ? 'h' : ''}${acks ? '' : 'n'}${early ? 'e' : ''}`;

  /** @param {Reader} reader @param {number} node @param {readonly DataSet[]} sets */
  const readerKey = (reader, node, sets) => {
    const { at, left, min, seen, nonce, gen, judged, value, snapshot, joined } = reader;
    if (at === 'idle') return `${node}i${left}`;
    const caller = joined ? `+${joined.min}.${joined.seen}` : '';
    const ticket = nonce === '' ? '' : ticketKey(sets, nonce);
    return `${node}${at[0]}${at[1]}${left}${min}${seen}${gen}${judged ? 'j' : ''}${value}${ticket}${snapshotKey(snapshot)}${caller}`;
  };

  /** @param {RowState} state */
  return (state) => {
    const { pg, sets, primary, promotions, gens, nodes, writers, readers, late, acked, seen, fed, switched, left } =
      state;
    const known = nodes.map(
      ({ gen, installing, beginning, cut, held, journal }) =>
        `${gen}${installing}${beginning ? beginningKey(beginning) : ''}${cut ? 'c' : ''}${held ? 'h' : ''}${journal.map(({ xid }) => xid).join()}`,
    );
    const reading = readers.map((reader, i) => readerKey(reader, config.readers[i]?.node ?? 0, sets)).sort();
    const writing = writers.map((writer) => writerKey(writer, sets));
    return [
      postgresKey(pg, config.unproven ?? false),
      setKey(/** @type {DataSet} */ (sets[0])),
      promotions > 0 ? setKey(/** @type {DataSet} */ (sets[1])) : '',
      `${primary}${promotions}${gens}${acked}${seen}${fed}${switched},${state.switchXid}`,
      known.join('|'),
      writing.join('|'),
      reading.join('|'),
      late ? late.text + late.gen + late.key(sets) : '',
      Object.values(left).join(''),
    ].join('#');
  };
}
