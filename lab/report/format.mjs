// @ts-check
/** @param {number} ms */
export function duration(ms) {
  const size = Math.abs(ms);
  if (size < 0.05) return '0';
  if (size < 10) return `${ms.toFixed(1)} ms`;
  return size < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(size < 10_000 ? 1 : 0)} s`;
}

/** @param {number} part */
export const percent = (part) => `${(100 * part).toFixed(part > 0.995 && part < 1 ? 1 : 0)} %`;

/** @param {number} rate */
export const perSecond = (rate) => (rate > 0 && rate < 10 ? rate.toFixed(1) : String(Math.round(rate)));

/** A round duration, at an axis. @param {number} ms */
export const roundDuration = (ms) => (ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`);

/** @param {number} count */
export const whole = (count) => count.toLocaleString('en-GB');

/** @param {number} count @param {string} one @param {string} [many] */
export const counted = (count, one, many = `${one}s`) => `${whole(count)} ${count === 1 ? one : many}`;
