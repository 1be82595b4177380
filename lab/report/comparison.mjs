// @ts-check
import { duration, percent, perSecond, whole } from './format.mjs';
import { mark } from './charts/lines.mjs';
import { element, escape } from './markup.mjs';

/** @typedef {import('../analysis/measure.mjs').Result} Result */
/** @typedef {{ title: string, hint: string, better: 'more' | 'less', value: (result: Result) => number, text: (result: Result) => string }} Measure */

/** @type {readonly Measure[]} */
export const measures = [
  {
    title: 'Oldest answer',
    hint: 'late by, after a write through the service',
    better: 'less',
    value: ({ stale }) => stale.worstMs,
    text: ({ stale }) => (stale.reads === 0 ? 'none' : duration(stale.worstMs)),
  },
  {
    title: 'Old answers',
    hint: 'of 1,000 reads',
    better: 'less',
    value: perThousand,
    text: (result) =>
      result.stale.reads === 0 ? 'none' : perThousand(result).toFixed(perThousand(result) < 10 ? 1 : 0),
  },
  {
    title: 'Hit ratio',
    hint: 'reads that a cache answered',
    better: 'more',
    value: (result) => result.hitRatio,
    text: (result) => percent(result.hitRatio),
  },
  {
    title: 'Latency',
    hint: 'of reads, p95',
    better: 'less',
    value: (result) => result.p95Ms,
    text: (result) => duration(result.p95Ms),
  },
  {
    title: 'Database load',
    hint: 'loads per second, all nodes',
    better: 'less',
    value: (result) => result.loadsPerSecond,
    text: (result) => perSecond(result.loadsPerSecond),
  },
  {
    title: 'Writes not done',
    hint: 'refused, or without an answer',
    better: 'less',
    value: (result) => result.failedWrites,
    text: (result) => `${whole(result.failedWrites)} of ${whole(result.writes)}`,
  },
];

/** @param {Result} result */
function perThousand({ stale, reads }) {
  return reads > 0 ? (1_000 * stale.reads) / reads : 0;
}

/** One small table for each measure, its numbers drawn as bars. @param {readonly Result[]} results */
export const comparison = (results) =>
  element(
    'div',
    { class: 'measures' },
    measures.map(({ title, hint, better, value, text }) => {
      const most = Math.max(...results.map(value));
      const rows = results.map((result) =>
        element('tr', { class: result.policy }, [
          element('th', { scope: 'row' }, [swatch(result.policy), escape(result.policy)]),
          element('td', { class: 'bar' }, bar(most > 0 ? value(result) / most : 0)),
          element('td', { class: 'value' }, escape(text(result))),
        ]),
      );
      const caption = element('caption', {}, [
        element('strong', {}, escape(title)),
        element('span', {}, escape(`${hint}; ${better} is better`)),
      ]);
      return element('table', { class: 'measure' }, [caption, element('tbody', {}, rows)]);
    }),
  );

/** @param {number} part of the whole width */
const bar = (part) =>
  element(
    'svg',
    { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true', class: 'bar' },
    element('rect', { x: 0, y: 0, width: part > 0 ? Math.max(0.7, 100 * part) : 0, height: 10 }),
  );

/** The mark of a policy, as in the charts. @param {string} policy */
export const swatch = (policy) =>
  element('svg', { viewBox: '-8 -8 16 16', 'aria-hidden': 'true', class: 'swatch' }, mark(policy, 0, 0));
