// @ts-check
import { element, escape } from './markup.mjs';

/** @typedef {import('../analysis/measure.mjs').Result} Result */
/** @typedef {import('../script.mjs').Act} Act */

/**
 * A chart as a table: what was seen of each policy in each act.
 * @param {string} caption
 * @param {readonly Act[]} acts
 * @param {readonly Result[]} results
 * @param {(result: Result, act: Act) => string} cell
 */
export function actsTable(caption, acts, results, cell) {
  const head = element(
    'tr',
    {},
    ['act', ...results.map(({ policy }) => policy)].map((name) => element('th', { scope: 'col' }, escape(name))),
  );
  const rows = acts.map((act) =>
    element('tr', {}, [
      element('th', { scope: 'row' }, escape(act.name)),
      ...results.map((result) => element('td', {}, escape(cell(result, act)))),
    ]),
  );
  return element('details', {}, [
    element('summary', {}, 'As a table'),
    element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption }, [
      element('table', { class: 'numbers' }, [
        element('caption', {}, escape(caption)),
        element('thead', {}, head),
        element('tbody', {}, rows),
      ]),
    ]),
  ]);
}

/** @template {{ atMs: number }} Timed @param {readonly Timed[]} all @param {Act} act */
export const during = (all, { fromMs, untilMs }) => all.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);

/** @param {readonly (number | null)[]} values */
export function mean(values) {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
}
