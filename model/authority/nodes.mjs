// @ts-check
import { begin, end } from '../world/postgres.mjs';
import { emptySet } from '../world/redis.mjs';
import { put } from '../row/state.mjs';
import { ask, follows, isSame, name, times } from './postgres.mjs';
import { historyOf, never } from './state.mjs';

/** @typedef {import('./state.mjs').AuthorityConfig} AuthorityConfig */
/** @typedef {import('./state.mjs').AuthorityState} AuthorityState */
/** @typedef {import('./state.mjs').Answer} Answer */
/** @typedef {import('./state.mjs').Found} Found */
/** @typedef {import('./state.mjs').Node} Node */
/** @typedef {import('./state.mjs').Redis} Redis */
/** @typedef {import('./state.mjs').Server} Server */
/** @typedef {import('../protocol.mjs').Rules} Rules */
/** @typedef {import('../engine.mjs').Step<AuthorityState>} Step */

/** Of a search for a generation nothing is left once it has ended. */
const settled = /** @type {const} */ ({
  found: undefined,
  answer: undefined,
  beginning: undefined,
  answeredAt: never,
  ends: false,
  next: 0,
  nextNumber: 0,
});

/** @param {AuthorityState} state @param {number} at @param {Partial<Node>} change @returns {AuthorityState} */
export function withNode(state, at, change) {
  const node = /** @type {Node} */ (state.nodes[at]);
  return { ...state, nodes: put(state.nodes, at, /** @type {Node} */ ({ ...node, ...change })) };
}

/** @param {AuthorityState} state @param {0 | 1} at @param {Partial<Redis>} change @returns {AuthorityState} */
export function withData(state, at, change) {
  const server = /** @type {Server} */ (state.servers[at]);
  return { ...state, servers: put(state.servers, at, { ...server, data: { ...server.data, ...change } }) };
}

/** Has no generation, and looks for one. @param {AuthorityState} state @param {number} at @returns {AuthorityState} */
export const lost = (state, at) => withNode(state, at, { ...settled, at: 'off', gen: 0, number: 0, askedAt: never });

/**
 * How nodes find and begin generations, and how they learn that one has ended: `src/cache/levels/l2/generation.ts`, the
 * connection to PostgreSQL of `authority.ts`, and `prove` of `scripts/record.ts`.
 * @param {AuthorityConfig} config @param {Rules} rules
 */
export function nodesOf(config, rules) {
  /** @param {number} at */
  const placeOf = (at) => /** @type {0 | 1} */ (config.nodes[at]);
  /** @param {AuthorityState} state @param {number} at */
  const serverOf = (state, at) => /** @type {Server} */ (state.servers[placeOf(at)]);
  /** @param {string} identity */
  const isIdentified = (identity) => identity !== '';

  /** Whether PostgreSQL's word on the generation still counts. @param {AuthorityState} state @param {number} at */
  const certain = ({ now, nodes }, at) =>
    !rules.wordIsALease || now < /** @type {Node} */ (nodes[at]).askedAt + times.lease;

  /** Whether a record was made on this server. @param {string} madeBy @param {string} identity */
  const isSameServer = (madeBy, identity) =>
    (isIdentified(identity) || !rules.emptyNeverMatches) && (madeBy === identity || !rules.serverIsCompared);

  /** @param {Node} node @param {Found} found @param {Answer} answer */
  function inForce({ joined, seen }, found, answer) {
    if (found.gen !== answer.generation || (rules.numberIsCompared && found.number !== answer.number)) return false;
    const taken = isIdentified(found.identity) || !rules.emptyNeverMatches;
    const sameServer = taken ? isSameServer(found.madeBy, found.identity) : answer.used;
    const known = found.gen === joined && rules.seenIsCompared ? seen : undefined;
    const recorded = !rules.recordIsCompared || follows(answer, found.history, rules);
    return sameServer && recorded && (!known || follows(answer, known, rules));
  }

  /** Its connection to PostgreSQL has ended. @param {Node} node @returns {Partial<Node>} */
  function parted({ seen }) {
    const doubted = seen && !seen.durable && rules.crashIsDoubted ? { seen: { ...seen, started: 0 } } : {};
    return { ...doubted, link: 0, ...(rules.wordEndsWithConnection ? { askedAt: never } : {}) };
  }

  /**
   * `prove`: the count, what is noted of PostgreSQL's log, and whether these are still the data they were.
   * @param {AuthorityState} state @param {number} at @param {number} gen @param {import('./state.mjs').History} history @param {boolean} again
   * @returns {readonly [state: AuthorityState, holds: boolean]}
   */
  function prove(state, at, gen, history, again) {
    const { identity, data } = serverOf(state, at);
    const node = /** @type {Node} */ (state.nodes[at]);
    if (data.set.gen !== gen) return [state, false];
    const count = /** @type {number} */ (data.counts[at]);
    const fewer = rules.countIsCompared && count < (again ? node.counted : 0);
    const copied = rules.copyIsSeen && isIdentified(identity) && data.madeBy !== identity;
    if (fewer || copied) return [withData(state, placeOf(at), { set: { ...data.set, gen: 0 } }), false];
    const sent = node.sent + 1;
    const lsn = Math.max(data.history.lsn, history.lsn);
    const noted = { ...data.history, lsn, started: history.started };
    const proved = withData(state, placeOf(at), {
      counts: put(data.counts, at, Math.max(count, sent)),
      history: noted,
    });
    return [withNode(proved, at, { sent, counted: sent }), true];
  }

  /** @param {AuthorityState} state @param {number} at @param {Answer} answer @param {number} askedAt @returns {Partial<Node>} */
  function accepted(state, at, answer, askedAt) {
    const ended = state.nodes[at]?.link !== answer.run && rules.wordOfOwnConnection;
    const seen = historyOf(answer);
    const counts = answer.confirmed && !ended;
    return {
      seen: ended && !answer.durable && rules.crashIsDoubted ? { ...seen, started: 0 } : seen,
      ...(counts ? { askedAt: rules.wordFromAsked ? askedAt : state.now } : {}),
    };
  }

  /** Several times a second. @param {AuthorityState} state @param {number} at @param {Step} step */
  function poll(state, at, step) {
    const node = /** @type {Node} */ (state.nodes[at]);
    const { gen, joined, seen, answer, answeredAt } = node;
    if (node.at === 'on' && node.polledAt < state.now && state.pg.up) {
      const [pg, told] = ask(state.pg, state.now, gen, rules);
      const asked = withNode({ ...state, pg }, at, { polledAt: state.now, link: pg.run });
      const names = told.generation === gen || !rules.confirmsTheNamed;
      if (!names || (seen && rules.seenIsCompared && !follows(told, seen, rules)))
        return step(() => `node ${at} asks PostgreSQL: generation ${gen} is over`, lost(asked, at));
      step(
        () => `node ${at} asks PostgreSQL: generation ${gen} is in force`,
        withNode(asked, at, { at: 'asked', answer: told, answeredAt: state.now }),
      );
    }
    if (node.at !== 'asked' || !answer) return;
    const [proved, holds] = prove(state, at, gen, answer, gen === joined);
    if (!holds) return step(() => `node ${at} proves nothing to Redis`, lost(proved, at));
    const kept = { ...settled, at: /** @type {const} */ ('on'), ...accepted(state, at, answer, answeredAt) };
    step(() => `node ${at} proves generation ${gen}`, withNode(proved, at, kept));
  }

  /** Finds the generation in force, or begins one. @param {AuthorityState} state @param {number} at @param {Step} step */
  function establish(state, at, step) {
    const node = /** @type {Node} */ (state.nodes[at]);
    const { found, answer, answeredAt, joined, seen } = node;
    const { identity, data } = serverOf(state, at);
    if (node.at === 'off') {
      const { number, madeBy, history, set } = data;
      const read = { number, madeBy, history, gen: set.gen, identity };
      return step(
        () => `node ${at} looks at Redis: ${set.gen ? `generation ${set.gen}` : 'nothing'}`,
        withNode(state, at, { at: 'found', found: read }),
      );
    }
    if (node.at === 'found' && found) {
      if (state.pg.up) {
        const mine = !isIdentified(found.identity) || isSameServer(found.madeBy, found.identity);
        const [pg, told] = ask(state.pg, state.now, mine ? found.gen : 0, rules);
        const asked = withNode({ ...state, pg }, at, {
          link: pg.run,
          at: 'known',
          answer: told,
          answeredAt: state.now,
        });
        return step(() => `node ${at} asks PostgreSQL: generation ${told.generation} is named`, asked);
      }
      const alone = found.gen !== 0 && found.gen === joined && seen && isSameServer(found.madeBy, found.identity);
      const [proved, holds] = alone ? prove(state, at, found.gen, seen, true) : [state, false];
      if (!holds) return step(() => `node ${at} cannot ask PostgreSQL`, lost(proved, at));
      return step(() => `node ${at} goes on with generation ${found.gen}`, withNode(proved, at, join(found)));
    }
    if (node.at === 'known' && found && answer) {
      if (found.gen !== 0 && inForce(node, found, answer)) {
        const [proved, holds] = prove(state, at, found.gen, answer, found.gen === joined);
        if (!holds) return step(() => `node ${at} proves nothing to Redis`, lost(proved, at));
        const counted = found.gen === joined ? {} : { counted: 0 };
        const on = { ...accepted(state, at, answer, answeredAt), ...join(found), ...counted, polledAt: answeredAt };
        return step(() => `node ${at} joins generation ${found.gen}`, withNode(proved, at, on));
      }
      return claim(state, at, found, answer, step);
    }
    install(state, at, step);
  }

  /** @param {Found} found @returns {Partial<Node>} */
  const join = ({ gen, number }) => ({ ...settled, at: 'on', gen, number, joined: gen });

  /**
   * The claim ends the generation before: on the Redis that PostgreSQL names for it, or on another one if no node uses it.
   * @param {AuthorityState} state @param {number} at @param {Found} found @param {Answer} answer @param {Step} step
   */
  function claim(state, at, found, answer, step) {
    const { data } = serverOf(state, at);
    const here = isIdentified(found.identity)
      ? found.identity === answer.redis
      : found.gen !== 0 && found.gen === answer.generation;
    const ends = here || !rules.claimsOnTheNamed;
    if (!ends && rules.takesOverUnusedOnly && answer.used)
      return step(() => `node ${at} goes without: another Redis is in use`, lost(state, at));
    if (data.set.gen !== found.gen || data.set.init !== 0)
      return step(() => `node ${at} cannot claim`, lost(state, at));
    const claimed = withData(state, placeOf(at), { set: { ...data.set, gen: 0, init: at + 1 } });
    step(() => `node ${at} claims: generation ${found.gen} has ended`, withNode(claimed, at, { at: 'claimed', ends }));
  }

  /** Gives its right to install back. @param {AuthorityState} state @param {number} at @returns {AuthorityState} */
  function givenUp(state, at) {
    const { set } = serverOf(state, at).data;
    return lost(set.init === at + 1 ? withData(state, placeOf(at), { set: { ...set, init: 0 } }) : state, at);
  }

  /** Then PostgreSQL names the next one, its epoch is taken, and it is installed. @param {AuthorityState} state @param {number} at @param {Step} step */
  function install(state, at, step) {
    const { at: stage, found, answer, beginning, next, nextNumber, ends, link } = /** @type {Node} */ (state.nodes[at]);
    if (!found || !answer) return;
    const [named, dated] = rules.namedBeforeEpoch ? ['claimed', 'named'] : ['named', 'claimed'];
    const { data } = serverOf(state, at);
    if (stage !== 'dated' && (!state.pg.up || link !== state.pg.run))
      return step(() => `node ${at} has lost PostgreSQL`, givenUp(withNode(state, at, { link: 0 }), at));
    if (stage === named) {
      const gen = state.gens + 1;
      const what = { gen, redis: found.identity, before: answer.generation, ends };
      const pg = name(state.pg, state.now, what, rules);
      if (!pg) return step(() => `node ${at} may name no generation`, givenUp(state, at));
      const after = { at: stage === 'claimed' ? /** @type {const} */ ('named') : /** @type {const} */ ('dated') };
      const known = withNode({ ...state, pg, gens: gen }, at, { ...after, next: gen, nextNumber: pg.number });
      return step(() => `PostgreSQL names generation ${gen}`, known);
    }
    if (stage === dated) {
      const epoch = state.pg.nextXid;
      const taken = { epoch, writers: state.pg.running };
      const after = { at: stage === 'claimed' ? /** @type {const} */ ('named') : /** @type {const} */ ('dated') };
      const began = { ...state, pg: { ...state.pg, ...end(begin(state.pg), epoch, undefined) } };
      return step(() => `node ${at} takes the epoch ${epoch}`, withNode(began, at, { ...after, beginning: taken }));
    }
    if (stage !== 'dated' || !beginning) return;
    if (data.set.init !== at + 1) return step(() => `node ${at} has lost its claim`, lost(state, at));
    const begun = withData(state, placeOf(at), {
      set: { ...emptySet(data.set.id), fresh: data.set.fresh, gen: next, beginning },
      number: nextNumber,
      madeBy: found.identity,
      history: historyOf(answer),
      counts: data.counts.map(() => 0),
    });
    const done = withNode(lost(begun, at), at, { seen: accepted(state, at, answer, 0).seen });
    step(() => `node ${at} installs generation ${next}`, done);
  }

  /** What its connections to PostgreSQL show it. @param {AuthorityState} state @param {number} at @param {Step} step */
  function connections(state, at, step) {
    const node = /** @type {Node} */ (state.nodes[at]);
    const { pg } = state;
    if (node.link !== 0 && node.link !== pg.run) {
      step(() => `node ${at} loses its connection to PostgreSQL`, withNode(state, at, parted(node)));
    }
    if (node.pool === pg.run || !pg.up) return;
    const { seen } = node;
    const trusted = !rules.poolIsVerified || !seen || isSame(pg, seen) || node.at === 'off';
    if (trusted)
      return step(
        () => `node ${at} connects its pool`,
        withNode(state, at, { pool: pg.run, compared: seen !== undefined }),
      );
    if (node.polledAt === never) return;
    const doubts = { ...parted(node), askedAt: never, polledAt: never };
    step(() => `node ${at}'s pool reaches another server: it asks anew`, withNode(state, at, doubts));
  }

  /** @param {AuthorityState} state @param {number} at @param {Step} step */
  function next(state, at, step) {
    connections(state, at, step);
    const node = /** @type {Node} */ (state.nodes[at]);
    // A statement on a connection that has ended fails first.
    if (node.link !== 0 && node.link !== state.pg.run && !['asked', 'known', 'dated'].includes(node.at)) return;
    if (node.at === 'on' || node.at === 'asked') return poll(state, at, step);
    establish(state, at, step);
  }

  return { next, certain, serverOf, placeOf };
}
