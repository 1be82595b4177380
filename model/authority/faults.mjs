// @ts-check
import { put } from '../row/state.mjs';
import { lost } from './nodes.mjs';
import { gone, offNode } from './state.mjs';

/** @typedef {import('./state.mjs').AuthorityConfig} AuthorityConfig */
/** @typedef {import('./state.mjs').AuthorityState} AuthorityState */
/** @typedef {import('./state.mjs').Fault} Fault */
/** @typedef {import('./state.mjs').Server} Server */
/** @typedef {import('../engine.mjs').Step<AuthorityState>} Step */

/** @param {AuthorityState} state @param {Fault} fault @returns {AuthorityState} with one less of it to come */
const spent = (state, fault) => ({ ...state, left: { ...state.left, [fault]: (state.left[fault] ?? 0) - 1 } });

/**
 * Time, and what goes wrong in it.
 * @param {AuthorityConfig} config
 */
export function faultsOf(config) {
  /** @param {AuthorityState} state @param {Fault} fault */
  const may = (state, fault) => (state.left[fault] ?? 0) > 0;
  /** Under the weaker policies, and where data of Redis are exchanged, the polls are the bound: then none is late. */
  const prompt = config.kind !== 'strict' || (config.faults?.copied ?? 0) > 0;

  /** @param {AuthorityState} state @param {Step} step */
  function time(state, step) {
    const { now, nodes, pg } = state;
    const due = nodes.some(
      ({ at, polledAt }) => at === 'asked' || at === 'known' || (at === 'on' && polledAt < now && pg.up),
    );
    if (now < config.until && !(prompt && due)) step(() => `time ${now + 1}`, { ...state, now: now + 1 });
  }

  /** Every transaction ends with the server. @param {AuthorityState} state @returns {AuthorityState} */
  const aborted = (state) => ({
    ...state,
    writers: state.writers.map((writer) =>
      state.pg.running.includes(writer.xid) ? { ...writer, at: /** @type {const} */ ('done') } : writer,
    ),
  });

  /** @param {AuthorityState} state @param {Step} step */
  function ofPostgres(state, step) {
    const { pg, versions, now } = state;
    if (may(state, 'back') && pg.up) {
      const back = aborted(spent(state, 'back'));
      step(() => `PostgreSQL goes back (${config.back})`, {
        ...back,
        pg: gone(config, pg),
        versions: [...versions, 0],
        backAt: now,
      });
    }
    if (may(state, 'away') && pg.up) {
      const away = aborted(spent(state, 'away'));
      const idle = { running: [], lockedBy: -1, up: false, run: pg.run + 1 };
      step(() => 'PostgreSQL does not answer', { ...away, pg: { ...pg, ...idle } });
    }
    if (!pg.up) step(() => 'PostgreSQL answers again', { ...state, pg: { ...pg, up: true } });
  }

  /** @param {AuthorityState} state @param {Step} step */
  function ofRedis(state, step) {
    const server = /** @type {Server} */ (state.servers[0]);
    const { data, saved } = server;
    const loses = may(state, 'old') || may(state, 'copied');
    if (loses && !saved && data.set.gen !== 0) {
      const copy = { ...server, saved: data };
      step(() => 'Redis saves its data', { ...state, servers: put(state.servers, 0, copy) });
    }
    if (!saved || (config.behind && !saved.counts.every((count, at) => count < (data.counts[at] ?? 0)))) return;
    const next = server.identity === '' ? '' : `${server.identity}'`;
    const back = { identity: next, data: { ...saved, set: { ...saved.set, fresh: data.set.fresh, init: 0 } } };
    const servers = put(state.servers, 0, back);
    if (may(state, 'old')) {
      const restarted = spent({ ...state, servers }, 'old');
      const cut = restarted.nodes.reduce((all, _, at) => (config.nodes[at] === 0 ? lost(all, at) : all), restarted);
      const excusedUntil = server.identity === '' ? state.now + 2 : state.excusedUntil;
      step(() => 'Redis restarts with what it saved', { ...cut, excusedUntil });
    }
    if (may(state, 'copied'))
      step(() => 'Redis takes over what was saved', {
        ...spent({ ...state, servers }, 'copied'),
        excusedUntil: state.now + 2,
      });
  }

  /** @param {AuthorityState} state @param {number} at @param {Step} step */
  function ofNode(state, at, step) {
    const place = /** @type {0 | 1} */ (config.nodes[at]);
    const server = /** @type {Server} */ (state.servers[place]);
    const { data } = server;
    if (may(state, 'node')) {
      const { set, counts } = data;
      const unclaimed = set.init === at + 1 ? { ...set, init: 0 } : set;
      // A new process counts under a name of its own.
      const known = { ...data, set: unclaimed, counts: put(counts, at, 0) };
      const servers = put(state.servers, place, { ...server, data: known });
      const nodes = put(state.nodes, at, { ...offNode, pool: state.pg.run });
      step(() => `node ${at} restarts`, { ...spent(state, 'node'), servers, nodes });
    }
    if (may(state, 'clear') && state.nodes[at]?.at === 'on' && data.set.gen === state.nodes[at]?.gen) {
      const ended = { ...server, data: { ...data, set: { ...data.set, gen: 0 } } };
      const cleared = lost({ ...spent(state, 'clear'), servers: put(state.servers, place, ended) }, at);
      step(() => `node ${at} is asked to clear everything`, cleared);
    }
  }

  /** @param {AuthorityState} state @param {Step} step */
  return (state, step) => {
    time(state, step);
    ofPostgres(state, step);
    ofRedis(state, step);
    for (const at of state.nodes.keys()) ofNode(state, at, step);
  };
}
