// @ts-check
import { current } from '../world/postgres.mjs';
import { scriptsOf } from '../world/redis.mjs';
import { faultsOf } from './faults.mjs';
import { generationsOf } from './generations.mjs';
import { readersOf } from './readers.mjs';
import { answering, identityOf, initialRow, rowKeyOf } from './state.mjs';
import { writersOf } from './writers.mjs';

/** @typedef {import('./state.mjs').RowConfig} RowConfig */
/** @typedef {import('./state.mjs').RowState} RowState */

/**
 * One row, its coarse tag, and everything that can happen to them between PostgreSQL, Redis, writers and readers.
 *
 * Bounds: two writers, of one transaction each, two readers, three reads, two nodes, one or two faults. Not modelled: more
 * of any of these, two servers that both answer as primary (the authority's model), savepoints as such (a mutant acts at one), TTLs as times,
 * stale-while-revalidate, the ticket limit (voiding tickets is always safe), a connection that resends.
 * @param {RowConfig} config
 * @param {import('../protocol.mjs').Protocol} protocol
 * @returns {import('../engine.mjs').Model<RowState>}
 */
export function rowModel(config, protocol) {
  const { decisions, rules } = protocol;
  const scripts = scriptsOf(protocol);
  const writers = writersOf(config, protocol, scripts);
  const reader = readersOf(config, protocol, scripts);
  const faults = faultsOf(config, protocol, scripts);
  const generation = generationsOf(config, rules);

  /** Whether nothing is under way any more that could still heal the cache. @param {RowState} state */
  const atRest = ({ writers: all, readers, nodes, late, pg, fed, switched }) =>
    all.every(({ at, hung }) => at === 'done' && !hung) &&
    readers.every(({ at, left }) => at === 'idle' && left === 0) &&
    nodes.every(({ journal, cut }) => journal.length === 0 && !cut) &&
    late === undefined &&
    (!config.feed || all.every(({ value }, i) => fed & (1 << i) || !pg.history.includes(value))) &&
    (!config.switches || switched === 3);

  /** Whether some node uses this data set, or would if it connected. @param {RowState} state */
  const reachable = (state) => {
    const { gen, identity } = answering(state);
    const expected = identityOf(state.primary === 0 ? 'A' : 'B', state.promotions, rules.promotionIsSeen);
    return gen !== 0 && (identity === expected || state.nodes.some((node) => node.gen === gen));
  };

  return {
    initial: initialRow(config, rules.promotionIsSeen),
    key: rowKeyOf(config),
    next: (state, step) => {
      for (const i of state.writers.keys()) writers.next(state, i, step);
      for (const i of state.readers.keys()) reader(state, i, step);
      for (const at of state.nodes.keys()) generation(state, at, step);
      faults(state, step);
      const { row, coarse } = answering(state);
      if (!row?.value || !coarse || !reachable(state) || !atRest(state)) return;
      if (!decisions.rowIsServable(row, coarse)) return;
      const { body } = row.value;
      if (Number(body) !== current(state.pg)) {
        step(() => `at rest: ${body} is cached, the row is ${current(state.pg)}`, undefined, 'E');
      }
    },
  };
}
