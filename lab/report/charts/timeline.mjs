// @ts-check
import { duration } from '../format.mjs';
import { element, label, line, picture, round } from '../markup.mjs';
import { lanes } from '../steps.mjs';

/** @typedef {import('../steps.mjs').Step} Step */

const rowHeight = 46;
const head = 40;

/**
 * Who did what to whom, from top to bottom; as far apart as there is room for, not as the time between: that is written.
 * @param {{ id: string, title: string, says: string, steps: readonly Step[], cutMs: number, healedMs: number, cutOff: number, size: { name: 'wide' | 'narrow', width: number } }} of
 */
export function timelineChart({ id, title, says, steps, cutMs, healedMs, cutOff, size }) {
  const [left, right] = size.name === 'wide' ? [104, size.width - 40] : [84, size.width - 26];
  const laneX = (/** @type {string} */ lane) =>
    left + ((right - left) * lanes.findIndex((each) => each === lane)) / (lanes.length - 1);
  const rowY = (/** @type {number} */ i) => head + (i + 0.6) * rowHeight;
  const bottom = head + steps.length * rowHeight + 8;
  const between = (/** @type {number} */ atMs) => steps.findIndex((step) => step.atMs >= atMs);
  const healed = between(healedMs);
  const shadeTop = rowY(between(cutMs));
  const shadeBottom = healed < 0 ? bottom : rowY(healed);
  const shadeX = laneX(lanes[1 + cutOff] ?? 'node 2');
  return picture(
    { id: `${id}-${size.name}`, className: size.name, width: size.width, height: bottom + 4, title, says },
    [
      element('rect', { x: shadeX - 17, y: shadeTop, width: 34, height: shadeBottom - shadeTop, rx: 6, class: 'cut' }),
      label(0, 0, 'no Redis', {
        class: 'cut-name',
        'text-anchor': 'middle',
        transform: `translate(${round(shadeX + 12)} ${round((shadeTop + shadeBottom) / 2)}) rotate(-90)`,
      }),
      ...lanes.flatMap((lane) => [
        label(laneX(lane), 18, lane, { class: 'lane-name', 'text-anchor': 'middle' }),
        line(laneX(lane), head - 12, laneX(lane), bottom, { class: 'lane' }),
      ]),
      ...steps.map((step, i) => stepAt(step, i, rowY(i), laneX)),
    ],
  );
}

/** @param {Step} step @param {number} i @param {number} y @param {(lane: string) => number} laneX */
function stepAt({ atMs, from, to, tone }, i, y, laneX) {
  return element('g', { class: `step ${tone}` }, [
    element('circle', { cx: 12, cy: y, r: 10, class: 'number' }),
    label(12, y + 4, String(i + 1), { class: 'number', 'text-anchor': 'middle' }),
    label(28, y + 4, moment(atMs), { class: 'moment' }),
    ...(to === undefined ? [cross(laneX(from), y)] : arrow(laneX(from), laneX(to), y, tone)),
  ]);
}

/** @param {number} from @param {number} to @param {number} y @param {Step['tone']} tone */
function arrow(from, to, y, tone) {
  const away = Math.sign(to - from);
  const version = { old: 'version 1', new: 'version 2', plain: '', fault: '' }[tone];
  return [
    element('circle', { cx: from, cy: y, r: 3.5, class: 'tip' }),
    line(from, y, to - away * 7, y, { class: 'arrow' }),
    element('path', { d: `M${round(to)} ${round(y)}l${-away * 9} -5v10Z`, class: 'tip' }),
    ...(version
      ? [
          label((from + to) / 2, y - 6, Math.abs(to - from) < 70 ? version.replace('version', 'v') : version, {
            class: 'carries',
            'text-anchor': 'middle',
          }),
        ]
      : []),
  ];
}

/** @param {number} x @param {number} y */
const cross = (x, y) => element('path', { d: `M${round(x - 6)} ${round(y - 6)}l12 12m0-12l-12 12`, class: 'cross' });

/** Counted from the acknowledgement. @param {number} ms */
export function moment(ms) {
  if (ms === 0) return '0';
  const text = duration(Math.abs(ms));
  return `${ms < 0 ? '−' : '+'}${text === '0' ? '0.0 ms' : text}`;
}
