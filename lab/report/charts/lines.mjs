// @ts-check
import { element, label, line, picture, round } from '../markup.mjs';
import { actNames, linear, logarithmic, seconds, shades, spanOf } from './frame.mjs';

/** @typedef {import('../../analysis/measure.mjs').Result} Result */
/** @typedef {import('../../analysis/series.mjs').Point} Point */

/** @type {Record<string, string>} a mark besides the colour: circle, square, triangle, diamond */
export const marks = {
  ttl: 'M0-5A5 5 0 1 1 0 5A5 5 0 1 1 0-5Z',
  invalidate: 'M-4.5-4.5H4.5V4.5H-4.5Z',
  'write-through': 'M0-5.5L5.5 4.5H-5.5Z',
  strict: 'M0-6L6 0L0 6L-6 0Z',
};

const betweenLabels = 17;

/**
 * One line for each policy over the time of the run.
 * @param {{ id: string, title: string, says: string, acts: readonly import('../../script.mjs').Act[], results: readonly Result[], size: import('./frame.mjs').Size, value: (point: Point) => number | null, scale: 'linear' | 'logarithmic', ticks: readonly number[], text: (value: number) => string }} of
 */
export function lineChart({ id, title, says, acts, results, size, value, scale, ticks, text }) {
  const wide = size.name === 'wide';
  const [left, top] = [wide ? 56 : 44, 30];
  const right = size.width - (wide ? 128 : 8);
  const bottom = top + (wide ? 190 : 160);
  const legend = wide ? 0 : 4 + Math.ceil(results.length / 2) * 22;
  const x = linear(spanOf(acts), [left, right]);
  const range = /** @type {const} */ ([ticks[0] ?? 0, ticks.at(-1) ?? 1]);
  const y = (scale === 'linear' ? linear : logarithmic)(range, [bottom, top]);
  const lines = results.map(({ policy, points }) => {
    const known = points.flatMap((point) => {
      const found = value(point);
      return found === null ? [] : [{ x: x(point.atMs), y: y(Math.min(range[1], Math.max(range[0], found))) }];
    });
    return { policy, known };
  });
  const ends = apart(
    lines.map(({ policy, known }) => ({ policy, y: known.at(-1)?.y ?? bottom })),
    top,
    bottom,
  );
  return picture(
    { id: `${id}-${size.name}`, className: size.name, width: size.width, height: bottom + 24 + legend, title, says },
    [
      ...shades(acts, { left, right, top, bottom }, x),
      ...actNames(acts, top - 10, x, size),
      ...ticks.flatMap((tick) => [
        line(left, y(tick), right, y(tick), { class: 'grid' }),
        label(left - 6, y(tick) + 4, text(tick), { class: 'tick', 'text-anchor': 'end' }),
      ]),
      ...lines.map(({ policy, known }) =>
        element('polyline', {
          points: known.map((point) => `${round(point.x)},${round(point.y)}`).join(' '),
          class: `line ${policy}`,
        }),
      ),
      ...lines.flatMap(({ policy, known }) =>
        known.filter((_, i) => i % 6 === offsets(policy)).map((point) => mark(policy, point.x, point.y)),
      ),
      ...(wide
        ? ends.flatMap(({ policy, y: endY }) => [
            line(right + 2, lines.find((each) => each.policy === policy)?.known.at(-1)?.y ?? endY, right + 14, endY, {
              class: 'leader',
            }),
            mark(policy, right + 22, endY),
            label(right + 33, endY + 4, policy, { class: `name ${policy}` }),
          ])
        : results.flatMap(({ policy }, i) => {
            const [legendX, legendY] = [left + 6 + (i % 2) * 150, bottom + 44 + Math.floor(i / 2) * 22];
            return [
              mark(policy, legendX, legendY - 4),
              label(legendX + 12, legendY, policy, { class: `name ${policy}` }),
            ];
          })),
      ...seconds(acts, bottom + 18, x, size),
    ],
  );
}

/** So that marks of lines that run together do not hide each other. @param {string} policy */
const offsets = (policy) => Object.keys(marks).indexOf(policy) + 1;

/** @param {string} policy @param {number} x @param {number} y */
export const mark = (policy, x, y) =>
  element('path', { d: marks[policy], class: `mark ${policy}`, transform: `translate(${round(x)} ${round(y)})` });

/** Moves labels that would overlap. @template {{ y: number }} Label @param {readonly Label[]} labels @param {number} top @param {number} bottom */
export function apart(labels, top, bottom) {
  const sorted = labels.map((each) => ({ ...each })).sort((a, b) => a.y - b.y);
  sorted.forEach((each, i) => (each.y = Math.max(each.y, top, (sorted[i - 1]?.y ?? -Infinity) + betweenLabels)));
  [...sorted]
    .reverse()
    .forEach((each, i, all) => (each.y = Math.min(each.y, bottom, (all[i - 1]?.y ?? Infinity) - betweenLabels)));
  return sorted;
}
