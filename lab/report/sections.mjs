// @ts-check
import { staleness as stalenessOf } from '../analysis/late.mjs';
import { actsTable, during, mean } from './acts-table.mjs';
import { sizes } from './charts/frame.mjs';
import { lineChart } from './charts/lines.mjs';
import { stalenessChart } from './charts/staleness.mjs';
import { duration, percent, perSecond, roundDuration, whole } from './format.mjs';
import { element, escape, section } from './markup.mjs';

/** @typedef {import('../main.mjs').Findings} Findings */
/** @typedef {import('../analysis/measure.mjs').Result} Result */
/** @typedef {import('../analysis/late.mjs').LateRead} LateRead */
/** @typedef {import('../analysis/series.mjs').Point} Point */

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
      'Each point is a read that began after a newer version had been acknowledged; how high it is says how long after. The scale is logarithmic: each line is ten times the one below, and what is less than a millisecond lies on the lowest. The dashed line is what the policy promises for writes through a node that reaches Redis.',
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

/**
 * A chart of lines: the value of a second, of an act (the mean of its seconds), and of the whole run.
 * @typedef {object} Cost
 * @property {string} id
 * @property {string} title
 * @property {string} hint
 * @property {(point: Point) => number | null} value
 * @property {(result: Result) => number} whole
 * @property {(value: number) => string} text
 * @property {'linear' | 'logarithmic'} scale
 * @property {readonly number[]} ticks
 * @property {(value: number) => string} [tick] `text` if not given
 */

/** @param {Findings} findings */
export function costs({ acts, results }) {
  const load = ceiling(results.flatMap(({ points }) => points.map(({ loadsPerSecond }) => loadsPerSecond ?? 0)));
  /** @type {Cost[]} */
  const all = [
    {
      ...{ id: 'hits', title: 'Hit ratio', hint: 'Part of the reads that some cache answered, second by second.' },
      ...{ value: (point) => point.hitRatio, whole: (result) => result.hitRatio, text: percent },
      ...{ scale: 'linear', ticks: [0, 0.25, 0.5, 0.75, 1] },
    },
    {
      ...{ id: 'latency', title: 'Latency', hint: 'p95 of the reads, second by second; the scale is logarithmic.' },
      ...{ value: (point) => point.p95Ms, whole: (result) => result.p95Ms, text: duration },
      ...{ scale: 'logarithmic', ticks: [1, 10, 100, 1_000, 10_000], tick: roundDuration },
    },
    {
      id: 'loads',
      title: 'Database load',
      hint: 'Loads from the database a second, both nodes together, as they count them.',
      ...{ value: (point) => point.loadsPerSecond, whole: (result) => result.loadsPerSecond, text: perSecond },
      ...{ scale: 'linear', ticks: [0, 0.25, 0.5, 0.75, 1].map((part) => part * load) },
    },
  ];
  const figures = all.map(({ id, title, hint, value, whole: overall, text, scale, ticks, tick = text }) => {
    const says = `Over the whole run: ${results.map((result) => `${result.policy} ${text(overall(result))}`).join(', ')}.`;
    const options = { id, title: `${title} over time`, says, acts, results, value, scale, ticks, text: tick };
    return element('figure', {}, [
      element('figcaption', {}, [element('h3', {}, escape(title)), element('p', {}, escape(hint))]),
      element(
        'div',
        { class: 'chart' },
        sizes.map((size) => lineChart({ ...options, size })),
      ),
      actsTable(`${title} by act`, acts, results, ({ points }, act) => {
        const average = mean(during(points, act).map(value));
        return average === null ? '' : text(average);
      }),
    ]);
  });
  return section('costs', 'What does it cost?', figures);
}

/** @param {string} id @param {string} title @param {{ intro: string, before: string, charts: readonly string[], legend: readonly (readonly [string, string])[], table: string }} parts */
const figureSection = (id, title, { intro, before, charts, legend, table }) =>
  section(id, title, [
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

/** A round number above all. @param {readonly number[]} values */
function ceiling(values) {
  const most = Math.max(4, ...values);
  const unit = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 4, 6, 8, 10].map((factor) => factor * unit).find((value) => value >= most) ?? most;
}
