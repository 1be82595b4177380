// @ts-check
import { twin } from './race.mjs';
import { medianInterval } from './statistics.mjs';

/** @typedef {import('./race.mjs').Round} Round */
/** @typedef {import('./race.mjs').Target} Target */
/** @typedef {import('./statistics.mjs').Interval} Interval */
/** @typedef {'met' | 'missed' | 'void'} Verdict void: the control differs from itself, so nothing can be said */
/** @typedef {Target & { ratio: Interval, control: Interval, verdict: Verdict }} Finding */

/** By how much a subject may differ from itself. */
const tolerance = 0.05;

/**
 * The ratio of two subjects, round by round, against its bound. The control's uncertainty is allowed for: half the width
 * of its interval is what this run cannot tell from nothing.
 * @param {readonly Round[]} rounds
 * @param {string} control
 * @param {Target} target
 * @param {{ next: () => number }} random
 * @returns {Finding}
 */
export function judge(rounds, control, target, random) {
  const { of, to, metric } = target;
  const ratio = medianInterval(ratios(rounds, of, to, metric), random);
  const itself = medianInterval(ratios(rounds, twin, control, metric), random);
  return { ...target, ratio, control: itself, verdict: verdictOf(target, ratio, itself) };
}

/** @param {Pick<Target, 'atLeast' | 'atMost'>} bound @param {Interval} ratio @param {Interval} control @returns {Verdict} */
export function verdictOf({ atLeast = 0, atMost = Infinity }, ratio, control) {
  if (!(Math.abs(control.median - 1) <= tolerance)) return 'void';
  const slack = (control.high - control.low) / 2;
  return ratio.low >= atLeast - slack && ratio.high <= atMost + slack ? 'met' : 'missed';
}

/** @param {readonly Round[]} rounds @param {string} of @param {string} to @param {import('./slice.mjs').Metric} metric */
export function ratios(rounds, of, to, metric) {
  return rounds.map((round) => {
    const [one, other] = [round[of], round[to]];
    if (!one || !other) throw new Error(`"${of}" and "${to}" have not run in one round`);
    return one[metric] / other[metric];
  });
}
