// @ts-check
import { postgres, postgresKey } from '../world/postgres.mjs';
import { emptySet, setKey } from '../world/redis.mjs';
import { snapshotKey, stampsKey, ticketKey } from '../row/state.mjs';

/** @typedef {import('../world/postgres.mjs').Postgres} Postgres */
/** @typedef {import('../world/redis.mjs').DataSet} DataSet */
/** @typedef {import('../world/redis.mjs').Stamps} Stamps */
/** @typedef {import('../../src/cache/core/snapshot.js').Snapshot} Snapshot */
/** @typedef {'loss' | 'sleep' | 'clock' | 'crash' | 'clear'} Fault loss: of the invalidation connection; clock: somebody sets it; clear: a generation is claimed, and installed some time or never */

/**
 * @typedef {object} L1Config
 * @property {'invalidate' | 'write-through' | 'strict'} kind of the writers
 * @property {boolean} [acknowledged] L1 under strict: writers wait for the node
 * @property {number} writers one after another
 * @property {number} reads on the node that has an L1
 * @property {number} [plain] reads on a node without
 * @property {number} heartbeats
 * @property {number} lease in ticks
 * @property {number} until how long time runs, in ticks
 * @property {boolean} [leased] at the start
 * @property {boolean} [cached] L1 has the value at the start
 * @property {Partial<Record<Fault, number>>} [faults]
 */

/**
 * @typedef {object} Writer
 * @property {'begin' | 'send' | 'fence' | 'wait' | 'commit' | 'load' | 'release' | 'done'} at
 * @property {boolean} early its FENCE is executed before its COMMIT
 * @property {number} xid
 * @property {number} value
 * @property {number} sentAt
 * @property {number} repliedAt
 * @property {number} beats the node's count as FENCE found it; -1: the node was not registered
 * @property {boolean} heard the node has acknowledged
 * @property {string} nonce of its ticket
 * @property {number} loaded after its COMMIT
 * @property {Snapshot} [snapshot] of that load
 */

/**
 * A read on the node: perhaps the stamps of what L1 has kept over a gap, GET, load, FILL, each command and its reply apart.
 * @typedef {object} Flight
 * @property {'confirm' | 'get' | 'hit' | 'missed' | 'fill' | 'filled'} at
 * @property {number} term in which its placeholder was registered; 0: it has none
 * @property {boolean} voided
 * @property {number} min
 * @property {number} seen
 * @property {string} nonce
 * @property {number} value
 * @property {boolean} accepted
 * @property {Stamps} stamps that came with the value
 * @property {Snapshot} [snapshot]
 */

/** @typedef {{ readonly kind: 'invalidation' | 'pong' | 'subscribed' | 'generation', readonly n: number, readonly offset?: number, readonly connection: number, readonly gen?: number }} Message n: the writer, when it was asked, or the generation that begins, 0 where one ends; gen: under which it was asked */

/**
 * @typedef {object} L1State
 * @property {number} now in ticks, for everybody
 * @property {number} drift how far the node's monotonic clock is behind
 * @property {number} wall how far its wall clock was set
 * @property {number} offset between the two, when the lease began
 * @property {Postgres} pg
 * @property {DataSet} set
 * @property {number} term 0: none; else the connection that it belongs to
 * @property {number} connection how many there have been
 * @property {boolean} linked the connection works
 * @property {'no' | 'asked' | 'yes'} subscribed as Redis knows it
 * @property {number} leaseUntil on the node's monotonic clock
 * @property {readonly Message[]} inbox sent to the node, in order
 * @property {readonly Message[]} outbox
 * @property {boolean} registered
 * @property {number} beats
 * @property {{ readonly value: number, readonly term: number, readonly stamps: Stamps }} [entry]
 * @property {Flight} [flight]
 * @property {number} gen under which the node serves; 0: it knows none
 * @property {boolean} claimed somebody has ended the generation, and is to install the next one
 * @property {number} bornAt when the generation began
 * @property {readonly number[]} kept writers whose FENCE met no generation, to be replayed
 * @property {readonly Writer[]} writers
 * @property {readonly { readonly version: number, readonly at: number }[]} acked
 * @property {number} seen
 * @property {number} reads
 * @property {number} plain
 * @property {number} heartbeats
 * @property {number} tickets
 * @property {Partial<Record<Fault, number>>} left
 */

/** @param {L1Config} config @returns {L1State} */
export function initialL1(config) {
  const { kind, writers, reads, plain = 0, heartbeats, lease, leased = true, cached = true, faults = {} } = config;
  /** @type {import('../../src/cache/core/decisions.js').TagState} */
  const tag = { stamp: 'r', pend: [], fence: [], ff: 0, tickets: {} };
  const row = { ...tag, value: { body: '0', coarse: 'c' } };
  return {
    now: 0,
    drift: 0,
    wall: 0,
    offset: 0,
    pg: postgres,
    set: { ...emptySet('A'), gen: 1, beginning: { epoch: 5, writers: [] }, row, coarse: { ...tag, stamp: 'c' } },
    term: 1,
    connection: 1,
    linked: true,
    subscribed: 'yes',
    leaseUntil: leased ? lease : 0,
    inbox: [],
    outbox: [],
    registered: true,
    beats: 0,
    gen: 1,
    claimed: false,
    bornAt: -lease,
    kept: [],
    ...(cached ? { entry: { value: 0, term: 1, stamps: { stamp: 'r', coarse: 'c' } } } : {}),
    writers: Array.from({ length: writers }, () => ({
      at: 'begin',
      early: kind === 'strict',
      xid: 0,
      value: 0,
      nonce: '',
      loaded: 0,
      sentAt: 0,
      repliedAt: 0,
      beats: -1,
      heard: false,
    })),
    acked: [],
    seen: 0,
    reads,
    plain,
    heartbeats,
    tickets: 0,
    left: faults,
  };
}

/** @param {readonly Message[]} messages */
const messagesKey = (messages) =>
  messages
    .map(({ kind, n, offset, connection, gen }) => `${kind[0]}${n},${offset ?? ''}@${connection}g${gen ?? ''}`)
    .join('');

/** @param {Writer} writer @param {DataSet} set */
const writerKey = ({ at, early, xid, value, nonce, loaded, snapshot, sentAt, repliedAt, beats, heard }, set) =>
  at === 'done'
    ? 'd'
    : `${at[0]}${at[1]}${early ? 'e' : ''}${xid},${value}${sentAt}${repliedAt}${beats}${heard ? 'h' : ''}${ticketKey([set], nonce)}${loaded}${snapshotKey(snapshot)}`;

/** @param {Flight} flight @param {DataSet} set */
const flightKey = ({ at, term, voided, min, seen, nonce, value, accepted, stamps, snapshot }, set) =>
  `${at[0]}${at[3] ?? ''}${at.length}${term}${voided ? 'v' : ''}${min}${seen}${ticketKey([set], nonce)}${value}${accepted ? 'a' : ''}${stampsKey([set], stamps)}` +
  snapshotKey(snapshot);

/** @param {L1State} state */
export function l1Key(state) {
  const { now, drift, wall, offset, pg, set, term, connection, linked, subscribed, leaseUntil, inbox, outbox } = state;
  const { registered, beats, entry, flight, writers, acked, seen, reads, plain, heartbeats, left } = state;
  const { gen, claimed, bornAt, kept } = state;
  return [
    postgresKey(pg, false),
    setKey(set),
    `${now},${drift},${wall},${offset},${leaseUntil}`,
    `${term}${connection}${linked ? 'l' : ''}${subscribed[0]}${registered ? 'r' : ''}${beats}`,
    `${messagesKey(inbox)}|${messagesKey(outbox)}`,
    entry ? `${entry.value}.${entry.term}.${stampsKey([set], entry.stamps)}` : '',
    flight ? flightKey(flight, set) : '',
    writers.map((writer) => writerKey(writer, set)).join('|'),
    acked.map(({ version, at }) => `${version}@${at}`).join(),
    `${seen}${reads}${plain}${heartbeats}`,
    Object.values(left).join(''),
    `${gen}${claimed ? 'c' : ''}${bornAt};${kept.join()}`,
  ].join('#');
}
