// @ts-check
import { during } from '../acts-table.mjs';
import { duration, roundDuration, whole } from '../format.mjs';
import { element, escape, label, line, picture, round } from '../markup.mjs';
import { actNames, linear, logarithmic, seconds, shades, spanOf } from './frame.mjs';

/** @typedef {import('../../analysis/measure.mjs').Result} Result */
/** @typedef {import('../../analysis/late.mjs').LateRead} LateRead */
/** @typedef {import('../../script.mjs').Act} Act */
/** @typedef {(value: number) => number} Scale */

/**
 * @typedef {object} StalenessOptions
 * @property {string} id
 * @property {string} title
 * @property {string} says
 * @property {readonly Act[]} acts those that are shown
 * @property {readonly Result[]} results
 * @property {import('./frame.mjs').Size} size
 * @property {readonly LateRead['source'][]} sources
 * @property {(result: Result) => { ms: number, text: string } | undefined} bound
 */

/** So many points can be darker, since they do not hide each other. */
const few = 300;
const ticks = [1, 10, 100, 1_000, 10_000];
/** What is less than the lowest lies on the edge. */
const range = /** @type {const} */ ([0.7, 12_000]);

/**
 * Small multiples, one for each policy, on the same axes: every read that was too old is a point, by when it was and by how
 * much.
 * @param {StalenessOptions} options
 */
export function stalenessChart(options) {
  const { id, title, says, acts, results, size } = options;
  const wide = size.name === 'wide';
  const [plot, gap, top] = wide ? [112, 40, 56] : [104, 44, 52];
  const [left, right] = wide ? [56, size.width - 16] : [44, size.width - 8];
  const x = linear(spanOf(acts), [left, right]);
  const height = top + results.length * (plot + gap) - gap + 26;
  return picture({ id: `${id}-${size.name}`, className: size.name, width: size.width, height, title, says }, [
    ...actNames(acts, 22, x, size),
    ...results.flatMap((result, i) => {
      const from = top + i * (plot + gap);
      return panel(options, result, { left, right, top: from, bottom: from + plot }, x);
    }),
    ...seconds(acts, height - 6, x, size),
  ]);
}

/** @param {StalenessOptions} options @param {Result} result @param {import('./frame.mjs').Box} box @param {Scale} x */
function panel({ acts, sources, bound, size }, result, box, x) {
  const { left, right, top, bottom } = box;
  const { policy } = result;
  const y = logarithmic(range, [bottom, top]);
  const late = acts.flatMap((act) => during(result.late, act)).filter(({ source }) => sources.includes(source));
  return [
    ...shades(acts, box, x),
    ...faults(result, acts, box, x),
    label(left, top - 9, policy, { class: `name ${policy}` }),
    label(right, top - 9, summary(late, size), { class: 'note', 'text-anchor': 'end' }),
    ...ticks.flatMap((ms) => [
      line(left, y(ms), right, y(ms), { class: 'grid' }),
      label(left - 6, y(ms) + 4, roundDuration(ms), { class: 'tick', 'text-anchor': 'end' }),
    ]),
    ...sources.map((source) => {
      const those = late.filter((each) => each.source === source);
      return points(those, x, y, source === 'cut' ? 'crosses' : 'dots', policy);
    }),
    ...limit(bound(result), box, y),
  ];
}

const faultNames = /** @type {Record<string, string>} */ ({ partition: 'does not reach Redis', kill: 'is down' });

/** From when to when a node suffered, as a bar at the foot. @param {Result} result @param {readonly Act[]} acts @param {import('./frame.mjs').Box} box @param {Scale} x */
function faults({ faults: suffered }, acts, { bottom }, x) {
  const [first, last] = spanOf(acts);
  return suffered
    .filter(({ fromMs, untilMs }) => untilMs > first && fromMs < last)
    .map(({ name, node, fromMs, untilMs }) => {
      const [from, until] = [x(Math.max(first, fromMs)), x(Math.min(last, untilMs))];
      const says = `node ${node + 1} ${faultNames[name] ?? name}`;
      return element(
        'rect',
        { x: from, y: bottom, width: until - from, height: 5, class: 'fault' },
        element('title', {}, escape(says)),
      );
    });
}

/** @param {{ ms: number, text: string } | undefined} bound @param {import('./frame.mjs').Box} box @param {Scale} y */
function limit(bound, { left, right, top, bottom }, y) {
  if (!bound) return [];
  const at = bound.ms > 0 ? y(bound.ms) : bottom;
  const textY = at - top < 18 ? at + 14 : at - 5;
  return [line(left, at, right, at, { class: 'bound' }), label(left + 5, textY, bound.text, { class: 'bound-name' })];
}

/** @param {readonly LateRead[]} late @param {import('./frame.mjs').Size} size */
function summary(late, { name }) {
  if (late.length === 0) return 'no old answer';
  const worst = duration(Math.max(...late.map(({ lateMs }) => lateMs)));
  const count = whole(late.length);
  return name === 'wide' ? `${count} old answers, the oldest ${worst} late` : `${count} old, at most ${worst}`;
}

/** One path, however many points; those that fall on one another are drawn once. @param {readonly LateRead[]} late @param {Scale} x @param {Scale} y @param {'dots' | 'crosses'} shape @param {string} policy */
function points(late, x, y, shape, policy) {
  const half = (/** @type {number} */ value) => Math.round(value * 2) / 2;
  const places = new Map(
    late.map(({ atMs, lateMs }) => {
      const [px, py] = [half(x(atMs)), half(y(lateMs))];
      const drawn = shape === 'dots' ? `M${px} ${py}h0` : `M${round(px - 3)} ${round(py - 3)}l6 6m0-6l-6 6`;
      return /** @type {const} */ ([`${px} ${py}`, drawn]);
    }),
  );
  return places.size === 0
    ? ''
    : element('path', {
        d: [...places.values()].join(''),
        class: `${shape} ${policy}${places.size < few ? ' few' : ''}`,
      });
}
