// @ts-check
import { snapshotKey, ticketKey } from '../row/state.mjs';
import { firstXid, postgres, postgresKey } from '../world/postgres.mjs';
import { beginningKey, emptySet, setKey } from '../world/redis.mjs';

/** @typedef {import('../world/postgres.mjs').Postgres} Postgres */
/** @typedef {import('../world/redis.mjs').DataSet} DataSet */
/** @typedef {import('../world/redis.mjs').Beginning} Beginning */
/** @typedef {import('../../src/cache/core/snapshot.js').Snapshot} Snapshot */

/**
 * What goes wrong, each as often as the configuration says.
 *  - back: PostgreSQL has the data of an earlier time, see `AuthorityConfig.back`
 *  - away: it does not answer for a while
 *  - old: Redis restarts with data that it saved some time before
 *  - copied: it takes over an older copy of its data (REPLICAOF, and back), and connections stay
 *  - node: a node restarts
 *  - clear: an operator begins a new generation
 * @typedef {'back' | 'away' | 'old' | 'copied' | 'node' | 'clear'} Fault
 */

/**
 * How PostgreSQL comes to have an earlier history: its data directory is put back; a standby that lagged is promoted; it
 * crashes under asynchronous commits, with a new postmaster or with the same one.
 * @typedef {'restored' | 'promoted' | 'crashed' | 'recovered'} Back
 */

/**
 * @typedef {object} AuthorityConfig
 * @property {'invalidate' | 'strict'} kind of the writers and readers
 * @property {readonly (0 | 1)[]} nodes which Redis server each reaches
 * @property {readonly { readonly node: number }[]} writers
 * @property {readonly { readonly node: number, readonly reads: number }[]} readers
 * @property {number} until how long time runs, in ticks
 * @property {Back} [back]
 * @property {number} [lost] how far the log was ahead of the earlier history (10)
 * @property {boolean} [unnoted] no node has asked since the last commit
 * @property {boolean} [cold] nothing runs, and Redis has the data of before the last commit: under its old identity, if it has any
 * @property {boolean} [unidentified] Redis says neither `run_id` nor `master_replid`
 * @property {boolean} [behind] older data of Redis have smaller counts of every node
 * @property {Partial<Record<Fault, number>>} [faults]
 */

/**
 * What tells one history of a database from another.
 * @typedef {object} History
 * @property {number} line system, timeline and database
 * @property {number} started which postmaster
 * @property {number} lsn how far the log is
 * @property {boolean} durable a commit that others see survives a crash
 */

/**
 * @typedef {object} Authority PostgreSQL besides its transactions
 * @property {number} generation that it names
 * @property {string} redis which server holds that
 * @property {number} usedAt when some node's use of it was last noted
 * @property {number} number how many generations there have been
 * @property {number} checkpoint after a restart, where the log ended then
 */

/** @typedef {Postgres & History & Authority & { readonly up: boolean, readonly run: number }} Primary run: which server a connection reaches */

/**
 * @typedef {object} Redis
 * @property {DataSet} set with the record's generation and beginning
 * @property {number} number of that generation
 * @property {string} madeBy the server's identity, as the record has it
 * @property {History} history as the record has it
 * @property {readonly number[]} counts of the nodes
 */

/**
 * @typedef {object} Server
 * @property {string} identity as INFO says; '' nothing
 * @property {Redis} data
 * @property {Redis} [saved]
 */

/** What a node knows of the record while it looks for a generation. @typedef {Pick<Redis, 'number' | 'madeBy' | 'history'> & { readonly gen: number, readonly identity: string }} Found */

/** PostgreSQL's answer. @typedef {History & Authority & { readonly confirmed: boolean, readonly used: boolean, readonly run: number }} Answer run: the connection that it came on */

/**
 * A node: `on` it serves; `asked` so it does, and has PostgreSQL's answer; `off` it has no generation, and then finds or begins one.
 * @typedef {object} Node
 * @property {'on' | 'asked' | 'off' | 'found' | 'known' | 'claimed' | 'named' | 'dated'} at
 * @property {number} gen 0: none
 * @property {number} number
 * @property {number} joined the last generation it had
 * @property {History | undefined} [seen] what was last accepted of PostgreSQL
 * @property {number} askedAt since when its lease runs; `never`: it has none
 * @property {number} counted what it has certainly written to Redis
 * @property {number} sent
 * @property {number} polledAt
 * @property {number} link the server that it asks; 0: none
 * @property {number} pool the server that its other connections reach
 * @property {boolean} compared they were compared with what it had seen
 * @property {Found | undefined} [found]
 * @property {Answer | undefined} [answer]
 * @property {number} answeredAt when that was asked for
 * @property {boolean} ends whether its claim has ended the generation that PostgreSQL names
 * @property {number} next the generation that it installs
 * @property {number} nextNumber
 * @property {Beginning | undefined} [beginning]
 */

/**
 * @typedef {object} Writer
 * @property {'begin' | 'looked' | 'identify' | 'fence' | 'commit' | 'done'} at
 * @property {number} xid
 * @property {number} value
 * @property {number} number of the generation in force, as its transaction has read it
 */

/**
 * @typedef {object} Reader
 * @property {'idle' | 'missed' | 'loaded'} at
 * @property {number} left
 * @property {number} min
 * @property {number} seen
 * @property {boolean} judged nothing excuses an old answer any more
 * @property {boolean} cured nothing excuses what PostgreSQL has lost any more
 * @property {string} nonce
 * @property {number} gen of its ticket
 * @property {number} value
 * @property {Snapshot} [snapshot]
 */

/**
 * @typedef {object} AuthorityState
 * @property {number} now in ticks, for everybody
 * @property {Primary} pg
 * @property {readonly number[]} versions everything that ever was the row's value, also what was lost
 * @property {number} backAt when PostgreSQL went back; `never`
 * @property {number} excusedUntil
 * @property {readonly Server[]} servers
 * @property {readonly Node[]} nodes
 * @property {number} gens how many generations have been named
 * @property {readonly Writer[]} writers
 * @property {readonly Reader[]} readers
 * @property {number} acked
 * @property {number} seen
 * @property {number} tickets
 * @property {Partial<Record<Fault, number>>} left
 */

export const never = -9;

/** No word counts for longer, in ticks, also where a mutant lets it. */
const longestWord = 4;

/** What was committed last, and what was before it. */
export const lastValue = 1;
const before = { ...postgres, nextXid: firstXid + 1, completed: firstXid };

/** @type {Reader} */
export const idleReader = {
  at: 'idle',
  left: 0,
  min: 0,
  seen: 0,
  judged: true,
  cured: true,
  nonce: '',
  gen: 0,
  value: 0,
};

/** @param {AuthorityConfig} config @returns {Primary} */
function primary({ back, lost = 10 }) {
  const durable = back !== 'crashed' && back !== 'recovered';
  return {
    ...before,
    ...{ nextXid: before.nextXid + 1, completed: before.nextXid, history: [0, lastValue], lockedBy: -1 },
    ...{ line: 1, started: 1, lsn: lost, checkpoint: 0, durable },
    ...{ generation: 1, redis: 'A1', usedAt: 0, number: 1, up: true, run: 1 },
  };
}

/** PostgreSQL after it went back to the time before the last commit. @param {AuthorityConfig} config @param {Primary} pg @returns {Primary} */
export function gone({ back }, pg) {
  const line = back === 'promoted' ? pg.line + 1 : pg.line;
  const started = back === 'recovered' ? pg.started : pg.started + 1;
  // Its log may be as far as the one before, but for data that were put back: nobody has written anything to them.
  const lsn = back === 'restored' ? 0 : pg.lsn;
  return { ...pg, ...before, line, started, lsn, checkpoint: lsn, usedAt: 0, run: pg.run + 1 };
}

/** @param {History} primary @returns {History} */
export const historyOf = ({ line, started, lsn, durable }) => ({ line, started, lsn, durable });

/** @param {AuthorityConfig} config @returns {AuthorityState} */
export function initialAuthority(config) {
  const { nodes, writers, readers, unnoted = false, unidentified = false, cold = false, faults = {} } = config;
  const pg = { ...primary(config), redis: unidentified ? '' : 'A1', usedAt: cold ? never : 0 };
  const history = { ...historyOf(pg), lsn: unnoted ? 0 : pg.lsn };
  /** @type {import('../../src/cache/core/decisions.js').TagState} */
  const tag = { stamp: 'r', pend: [], fence: [], ff: 0, tickets: {} };
  const row = { ...tag, value: { body: String(cold ? 0 : lastValue), coarse: 'c' } };
  const beginning = { epoch: 5, writers: [] };
  /** @type {Redis} */
  const empty = { set: emptySet('B'), number: 0, madeBy: '', history, counts: nodes.map(() => 0) };
  const set = { ...emptySet('A'), gen: 1, beginning, row, coarse: { ...tag, stamp: 'c' } };
  const counts = nodes.map((server) => (server === 0 ? 1 : 0));
  return {
    now: 0,
    pg,
    versions: [0, lastValue],
    backAt: never,
    excusedUntil: 0,
    servers: [
      {
        identity: unidentified ? '' : cold ? "A1'" : 'A1',
        data: { set, number: 1, madeBy: pg.redis, history, counts },
      },
      { identity: 'B1', data: empty },
    ],
    nodes: nodes.map((server) => ({
      ...offNode,
      ...(server === 0 && !cold
        ? {
            at: 'on',
            gen: 1,
            number: 1,
            joined: 1,
            seen: history,
            askedAt: 0,
            counted: 1,
            sent: 1,
            polledAt: 0,
            link: 1,
          }
        : {}),
      pool: 1,
    })),
    gens: 1,
    writers: writers.map(() => ({ at: 'begin', xid: 0, value: 0, number: 0 })),
    readers: readers.map(({ reads }) => ({ ...idleReader, left: reads })),
    acked: 1,
    seen: 1,
    tickets: 0,
    left: faults,
  };
}

/** A process that has just begun. @type {Node} */
export const offNode = {
  at: 'off',
  gen: 0,
  number: 0,
  joined: 0,
  askedAt: never,
  counted: 0,
  sent: 0,
  polledAt: never,
  link: 0,
  pool: 0,
  compared: true,
  answeredAt: never,
  ends: false,
  next: 0,
  nextNumber: 0,
};

/** @param {AuthorityConfig} config */
export function authorityKeyOf({ faults = {}, unidentified = false }) {
  // Where no data of Redis come back, counts only grow.
  const counted = unidentified || (faults.old ?? 0) + (faults.copied ?? 0) > 0;

  /** @param {History | undefined} history */
  const historyKey = (history) =>
    history ? `${history.line}.${history.started}.${history.lsn}${history.durable ? '' : 'a'}` : '-';

  /** @param {Redis} data @param {readonly Node[]} nodes */
  const redisKey = ({ set, number, madeBy, history, counts }, nodes) =>
    `${setKey(set)};${number}${madeBy}${historyKey(history)};` +
    (counted ? counts.map((count, at) => count - (nodes[at]?.counted ?? 0)).join() : '');

  /** @param {Node} node @param {number} now */
  const nodeKey = (node, now) => {
    const { at, gen, number, joined, seen, askedAt, polledAt, link, pool, found, answer, answeredAt } = node;
    const look = found
      ? `${found.gen}.${found.number}${found.madeBy}${found.identity}${historyKey(found.history)}`
      : '';
    const told = answer
      ? `${answer.generation}.${answer.redis}.${answer.number}.${answer.checkpoint}${answer.confirmed ? 'c' : ''}${answer.used ? 'u' : ''}${answer.run}${historyKey(answer)}@${answeredAt}`
      : '';
    const next = node.next || node.ends ? `${node.next}.${node.nextNumber}${node.ends ? 'e' : ''}` : '';
    const begins = node.beginning ? beginningKey(node.beginning) : '';
    const polled = polledAt === never ? 'n' : polledAt < now ? '' : 'p';
    const word = now < askedAt + longestWord ? askedAt : '';
    return `${at}${gen}.${number}.${joined}${historyKey(seen)}@${word}${polled}l${link}.${pool}${node.compared ? '' : 'b'}/${look}/${told}/${next}${begins}`;
  };

  /** @param {Reader} reader @param {readonly DataSet[]} sets */
  const readerKey = ({ at, left, min, seen, judged, cured, nonce, gen, value, snapshot }, sets) =>
    at === 'idle'
      ? `i${left}`
      : `${at[0]}${left}${min}${seen}${judged ? 'j' : ''}${cured ? 'c' : ''}${nonce && ticketKey(sets, nonce)}${gen}${value}${snapshotKey(snapshot)}`;

  /** @param {AuthorityState} state */
  return (state) => {
    const { now, pg, versions, backAt, excusedUntil, servers, nodes, gens, writers, readers, acked, seen, left } =
      state;
    const sets = servers.map(({ data }) => data.set);
    return [
      `${now},${backAt},${excusedUntil},${gens},${acked},${seen}`,
      `${postgresKey(pg, false)};${pg.up ? 'u' : 'd'}${pg.run};${pg.generation}.${pg.redis}.${pg.number}@${pg.usedAt};${historyKey(pg)}.${pg.checkpoint}`,
      versions.join(),
      ...servers.map(
        ({ identity, data, saved }) => `${identity};${redisKey(data, nodes)};${saved ? redisKey(saved, nodes) : ''}`,
      ),
      nodes.map((node) => nodeKey(node, now)).join('|'),
      writers.map(({ at, xid, value, number }) => `${at[0]}${xid}.${value}.${number}`).join('|'),
      readers.map((reader) => readerKey(reader, sets)).join('|'),
      Object.values(left).join(),
    ].join('#');
  };
}
