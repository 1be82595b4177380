// @ts-check
import { boundText } from './table.mjs';

/** @typedef {import('../measure/verdict.mjs').Finding} Finding */

const width = 760;
const rowHeight = 44;
const left = 290;
const right = 70;
const top = 54;
const colours = { met: '#1a7f37', missed: '#cf222e', void: '#9a6700' };

/**
 * One line per finding: its ratio with the interval, the bound, and the control behind it.
 * @param {string} title
 * @param {readonly Finding[]} findings
 * @returns {string} SVG
 */
export function chart(title, findings) {
  const ends = findings.flatMap(({ ratio, control, atLeast = 1, atMost = 1 }) => [
    ...[ratio.low, ratio.high, control.low, control.high],
    ...[atLeast, atMost],
  ]);
  // Logarithmic: twice and half are equally far from one.
  const [low, high] = [Math.log(Math.min(...ends) / 1.1), Math.log(Math.max(...ends) * 1.1)];
  const x = (/** @type {number} */ value) => left + ((Math.log(value) - low) / (high - low)) * (width - left - right);
  const height = top + findings.length * rowHeight + 34;
  const lines = findings.flatMap((finding, i) => row(finding, top + i * rowHeight + rowHeight / 2, x));
  const one = round(x(1));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="16" y="26" font-size="16" font-weight="600" fill="#1f2328">${escape(title)}</text>`,
    `<line x1="${one}" x2="${one}" y1="${top - 8}" y2="${height - 30}" stroke="#d0d7de"/>`,
    ...lines,
    `<text x="16" y="${height - 10}" font-size="11" fill="#59636e">median ratio, bootstrap 95 % interval; grey: the control against itself; dashed: the bound; logarithmic</text>`,
    '</svg>',
    '',
  ].join('\n');
}

/** @param {Finding} finding @param {number} y @param {(value: number) => number} x */
function row({ of, to, metric, ratio, control, verdict, atLeast, atMost }, y, x) {
  const colour = colours[verdict];
  const bound = atLeast ?? atMost;
  return [
    `<text x="16" y="${y}" fill="#1f2328">${escape(`${of} : ${to}`)}</text>`,
    `<text x="16" y="${y + 15}" font-size="11" fill="#59636e">${escape(`${metric}, bound ${boundText(bounds(atLeast, atMost))}`)}</text>`,
    bar(control, y + 9, x, '#afb8c1'),
    bar(ratio, y, x, colour),
    `<circle cx="${round(x(ratio.median))}" cy="${y}" r="4.5" fill="${colour}"/>`,
    ...(bound === undefined
      ? []
      : [
          `<line x1="${round(x(bound))}" x2="${round(x(bound))}" y1="${y - 14}" y2="${y + 14}" stroke="#1f2328" stroke-dasharray="3 3"/>`,
        ]),
    `<text x="${width - right + 12}" y="${y + 4}" font-weight="600" fill="${colour}">${ratio.median.toFixed(2)}</text>`,
  ];
}

/** @param {import('../measure/statistics.mjs').Interval} interval @param {number} y @param {(value: number) => number} x @param {string} colour */
const bar = ({ low, high }, y, x, colour) =>
  `<line x1="${round(x(low))}" x2="${round(x(high))}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="3" stroke-linecap="round"/>`;

/** @param {number | undefined} atLeast @param {number | undefined} atMost */
const bounds = (atLeast, atMost) => ({
  ...(atLeast !== undefined && { atLeast }),
  ...(atMost !== undefined && { atMost }),
});

const round = (/** @type {number} */ value) => Math.round(value * 10) / 10;
const escape = (/** @type {string} */ text) =>
  text.replace(/[&<>]/g, (found) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[found] ?? found);
