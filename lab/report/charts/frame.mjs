// @ts-check
import { element, escape, label } from '../markup.mjs';

/** @typedef {import('../../script.mjs').Act} Act */
/** Charts are drawn twice, for wide and for narrow screens; a style shows the one that fits. @typedef {{ name: 'wide' | 'narrow', width: number }} Size */
/** @typedef {{ left: number, right: number, top: number, bottom: number }} Box the plot's edges */

/** @type {readonly Size[]} */
export const sizes = [
  { name: 'wide', width: 1_040 },
  { name: 'narrow', width: 346 },
];

/** @param {readonly [number, number]} from @param {readonly [number, number]} to @returns {(value: number) => number} */
export const linear =
  ([low, high], [start, end]) =>
  (value) =>
    start + ((value - low) / (high - low || 1)) * (end - start);

/** Equal factors are equally far apart; what is below the range is on its edge. @param {readonly [number, number]} from @param {readonly [number, number]} to @returns {(value: number) => number} */
export const logarithmic = ([low, high], to) => {
  const scale = linear([Math.log(low), Math.log(high)], to);
  return (value) => scale(Math.log(Math.min(high, Math.max(low, value))));
};

/** Every second act is shaded. @param {readonly Act[]} acts @param {Box} box @param {(atMs: number) => number} x */
export const shades = (acts, { top, bottom }, x) =>
  acts.map(({ name, title, fromMs, untilMs }, i) =>
    element(
      'rect',
      {
        ...{ x: x(fromMs), y: top, width: x(untilMs) - x(fromMs), height: bottom - top },
        class: i % 2 === 0 ? 'act' : 'act other',
      },
      element('title', {}, escape(`${name}: ${title}`)),
    ),
  );

/** On a narrow screen. */
const mostNamed = 3;

/**
 * The acts by name, or by number where there is no room for names.
 * @param {readonly Act[]} acts @param {number} y @param {(atMs: number) => number} x @param {Size} size
 */
export const actNames = (acts, y, x, { name: size }) =>
  acts.map(({ name, fromMs, untilMs }, i) =>
    label((x(fromMs) + x(untilMs)) / 2, y, size === 'wide' || acts.length <= mostNamed ? name : String(i + 1), {
      class: 'act-name',
      'text-anchor': 'middle',
    }),
  );

/** @param {readonly Act[]} acts @param {number} y @param {(atMs: number) => number} x @param {Size} size */
export function seconds(acts, y, x, { name }) {
  const [fromMs, untilMs] = spanOf(acts);
  const every = untilMs - fromMs > 20_000 ? (name === 'wide' ? 5 : 10) : name === 'wide' ? 1 : 2;
  const first = Math.ceil(fromMs / 1_000 / every) * every;
  const found = [];
  for (let second = first; second * 1_000 <= untilMs; second += every)
    found.push(
      label(x(second * 1_000), y, second === first ? `${second} s` : String(second), {
        class: 'tick',
        'text-anchor': 'middle',
      }),
    );
  return found;
}

/** @param {readonly Act[]} acts @returns {readonly [number, number]} */
export const spanOf = (acts) => [acts[0]?.fromMs ?? 0, acts.at(-1)?.untilMs ?? 0];
