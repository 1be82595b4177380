// @ts-check
import { staleness as stalenessOf } from '../analysis/late.mjs';
import { actsTable, during, mean } from './acts-table.mjs';
import { sizes } from './charts/frame.mjs';
import { lineChart } from './charts/lines.mjs';
import { stalenessChart } from './charts/staleness.mjs';
import { duration, percent, perSecond, whole } from './format.mjs';
import { element, escape } from './markup.mjs';

/** @typedef {import('../main.mjs').Findings} Findings */
/** @typedef {import('../analysis/measure.mjs').Result} Result */
/** @typedef {import('../analysis/late.mjs').LateRead} LateRead */

/** @param {Findings} findings */
export function staleness({ acts, results }) {
  const title = 'How late old answers were, over time, after writes through the service';
  const sources = /** @type {const} */ (['service', 'cut']);
  /** @param {Result} result */
  const bound = ({ policy, promisedMs }) => ({
    ms: promisedMs,
    text: policy === 'strict' ? 'promised: none' : `promised: at most ${duration(promisedMs)}`,
  });
  const options = { id: 'staleness', title, says: told(results, sources), acts, results, sources, bound };
  return figureSection('staleness', 'How old were the answers?', {
    intro:
      'Each point is a read that began after a newer version had been acknowledged; how high it is says how long after. The scale is logarithmic: each line is ten times the one below, and what is less than a millisecond lies on the lowest. The dashed line is what the policy promises.',
    before: actList(acts),
    charts: sizes.map((size) => stalenessChart({ ...options, size })),
    legend: [
      ['dot', 'missing what was written through a node that reaches Redis'],
      [
        'cross',
        'missing what was written through a node that may not: until the feed, or the node itself, has told it',
      ],
      ['bar', 'meanwhile a node was cut off, or down'],
    ],
    table: actsTable('Old answers, and the oldest, by act', acts, results, (result, act) =>
      lateCell(result, act, sources),
    ),
  });
}

/** @param {Findings} findings */
export function past({ acts, results }) {
  const title = 'How late answers were that only an UPDATE past the service had made old';
  const sources = /** @type {const} */ (['sql']);
  /** @param {Result} result */
  const bound = ({ policy, feed, promisedMs }) =>
    policy === 'ttl'
      ? { ms: promisedMs, text: `nobody tells: at most ${duration(promisedMs)}` }
      : feed.told > 0
        ? { ms: feed.worstMs, text: `the feed told it within ${duration(feed.worstMs)}` }
        : undefined;
  const shown = acts.slice(acts.findIndex(({ name }) => name === 'SQL'));
  const options = { id: 'past', title, says: told(results, sources), acts: shown, results, sources, bound };
  return figureSection('past-the-service', 'And SQL that goes past the service?', {
    intro:
      'No policy can fence what it is not asked about. The change feed reads PostgreSQL’s log and tells every node: until then old answers are given, under strict too. Under ttl nothing is told, here neither. The dashed line is how long the feed needed at most, as heard on Redis.',
    before: '',
    charts: sizes.map((size) => stalenessChart({ ...options, size })),
    legend: [],
    table: actsTable('Answers made old by SQL, and the oldest, by act', shown, results, (result, act) =>
      lateCell(result, act, sources),
    ),
  });
}

/** @param {Findings} findings */
export function costs({ acts, results }) {
  const chart = (/** @type {Omit<Parameters<typeof lineChart>[0], 'acts' | 'results' | 'size'>} */ options) =>
    element(
      'div',
      { class: 'chart' },
      sizes.map((size) => lineChart({ ...options, acts, results, size })),
    );
  const load = ceiling(results.flatMap(({ points }) => points.map(({ loadsPerSecond }) => loadsPerSecond ?? 0)));
  const summary = (/** @type {(result: Result) => string} */ text) =>
    `Over the whole run: ${results.map((result) => `${result.policy} ${text(result)}`).join(', ')}.`;
  return element('section', { 'aria-labelledby': 'costs' }, [
    element('h2', { id: 'costs' }, 'What does it cost?'),
    element('figure', {}, [
      element('figcaption', {}, [
        element('h3', {}, 'Hit ratio'),
        element('p', {}, 'Part of the reads that some cache answered, second by second.'),
      ]),
      chart({
        ...{ id: 'hits', title: 'Hit ratio over time', says: summary(({ hitRatio }) => percent(hitRatio)) },
        value: ({ hitRatio }) => hitRatio,
        ...{ scale: 'linear', ticks: [0, 0.25, 0.5, 0.75, 1], text: (value) => `${Math.round(value * 100)} %` },
      }),
      actsTable('Hit ratio by act', acts, results, ({ points }, act) =>
        show(mean(during(points, act).map(({ hitRatio }) => hitRatio)), percent),
      ),
    ]),
    element('figure', {}, [
      element('figcaption', {}, [
        element('h3', {}, 'Latency'),
        element('p', {}, 'p95 of the reads, second by second; the scale is logarithmic.'),
      ]),
      chart({
        ...{ id: 'latency', title: 'p95 latency over time', says: summary(({ p95Ms }) => duration(p95Ms)) },
        value: ({ p95Ms }) => p95Ms,
        ...{
          scale: 'logarithmic',
          ticks: [1, 10, 100, 1_000, 10_000],
          text: (value) => (value < 1_000 ? `${value} ms` : `${value / 1_000} s`),
        },
      }),
      actsTable('p95 latency by act (mean of its seconds)', acts, results, ({ points }, act) =>
        show(mean(during(points, act).map(({ p95Ms }) => p95Ms)), duration),
      ),
    ]),
    element('figure', {}, [
      element('figcaption', {}, [
        element('h3', {}, 'Database load'),
        element('p', {}, 'Loads from the database a second, both nodes together, as they count them.'),
      ]),
      chart({
        ...{
          id: 'loads',
          title: 'Database loads per second over time',
          says: summary(({ loadsPerSecond }) => perSecond(loadsPerSecond)),
        },
        value: ({ loadsPerSecond }) => loadsPerSecond,
        ...{
          scale: 'linear',
          ticks: [0, load / 4, load / 2, (3 * load) / 4, load],
          text: (value) => String(Math.round(value)),
        },
      }),
      actsTable('Database loads per second by act', acts, results, ({ points }, act) =>
        show(mean(during(points, act).map(({ loadsPerSecond }) => loadsPerSecond)), perSecond),
      ),
    ]),
  ]);
}

/** @param {string} id @param {string} title @param {{ intro: string, before: string, charts: readonly string[], legend: readonly (readonly [string, string])[], table: string }} parts */
const figureSection = (id, title, { intro, before, charts, legend, table }) =>
  element('section', { 'aria-labelledby': id }, [
    element('h2', { id }, escape(title)),
    element('p', {}, escape(intro)),
    before,
    element('figure', {}, [
      element('div', { class: 'chart' }, charts),
      legend.length === 0
        ? ''
        : element(
            'figcaption',
            { class: 'legend' },
            legend.map(([kind, text]) => element('span', {}, [element('i', { class: kind }), escape(text)])),
          ),
      table,
    ]),
  ]);

/** @param {Findings['acts']} acts */
const actList = (acts) =>
  element(
    'ol',
    { class: 'acts' },
    acts.map(({ name, title }) => element('li', {}, [element('strong', {}, escape(name)), ` ${escape(title)}`])),
  );

/** @param {readonly Result[]} results @param {readonly LateRead['source'][]} sources */
const told = (results, sources) =>
  results
    .map(({ policy, late }) => {
      const { reads, worstMs } = stalenessOf(late, sources);
      return `${policy}: ${reads === 0 ? 'no old answer' : `${whole(reads)} old answers, the oldest by ${duration(worstMs)}`}.`;
    })
    .join(' ');

/** @param {Result} result @param {import('../script.mjs').Act} act @param {readonly LateRead['source'][]} sources */
function lateCell({ late }, act, sources) {
  const { reads, worstMs } = stalenessOf(during(late, act), sources);
  return reads === 0 ? '0' : `${whole(reads)}, ${duration(worstMs)}`;
}

/** @param {number | null} value @param {(value: number) => string} text */
const show = (value, text) => (value === null ? '' : text(value));

/** A round number above all. @param {readonly number[]} values */
function ceiling(values) {
  const most = Math.max(4, ...values);
  const unit = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 4, 6, 8, 10].map((factor) => factor * unit).find((value) => value >= most) ?? most;
}
