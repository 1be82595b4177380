// @ts-check

/** @typedef {import('../measure/verdict.mjs').Finding} Finding */
/** @typedef {import('../measure/statistics.mjs').Interval} Interval */

const head = ['comparison', 'metric', 'ratio', '95 % interval', 'bound', 'A/A', 'A/A interval', ''];

/** @param {readonly Finding[]} findings @returns {string} for people */
export function table(findings) {
  const rows = findings.map(({ of, to, metric, ratio, control, verdict, ...bound }) => [
    `${of} : ${to}`,
    metric,
    ratio.median.toFixed(3),
    span(ratio),
    boundText(bound),
    control.median.toFixed(3),
    span(control),
    verdict.toUpperCase(),
  ]);
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** @param {{ atLeast?: number, atMost?: number }} bound */
export const boundText = ({ atLeast, atMost }) =>
  [atLeast === undefined ? '' : `≥ ${shortly(atLeast)}`, atMost === undefined ? '' : `≤ ${shortly(atMost)}`]
    .filter(Boolean)
    .join(', ') || 'none';

/** @param {number} bound */
export const shortly = (bound) => Number(bound.toFixed(3));

/** @param {Interval} interval */
const span = ({ low, high }) => `${low.toFixed(3)} - ${high.toFixed(3)}`;
