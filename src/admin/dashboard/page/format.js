const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** @param {number} n */
export const count = (n) => (Math.abs(n) >= 100_000 ? short.format(n) : whole.format(Math.round(n)));

/** @param {number} perSecond */
export function rate(perSecond) {
  if (perSecond === 0) return '0';
  if (perSecond < 0.1) return '< 0.1';
  return perSecond < 9.95 ? perSecond.toFixed(1) : count(perSecond);
}

/** @param {number | undefined} ratio of 1 */
export function percent(ratio) {
  if (ratio === undefined || Number.isNaN(ratio)) return '–';
  if (ratio > 0.999 && ratio < 1) return '> 99.9 %';
  const value = ratio * 100;
  return `${value < 10 && value > 0 ? value.toFixed(1) : value > 99 && value < 100 ? value.toFixed(1) : Math.round(value)} %`;
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 0.000_1) return `${Math.round(seconds * 1_000_000)} µs`;
  if (seconds < 0.001) return `${(seconds * 1000).toFixed(2)} ms`;
  if (seconds < 0.01) return `${(seconds * 1000).toFixed(1)} ms`;
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : longer(seconds);
}

/** @param {number} seconds */
function longer(seconds) {
  if (seconds < 120) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** @param {number} bytes */
export function bytes(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const [value, unit] = bytes < 1024 ** 2 ? [bytes / 1024, 'kB'] : [bytes / 1024 ** 2, 'MB'];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** @param {number} ms since the epoch */
export function clock(ms) {
  const date = new Date(ms);
  /** @param {number} n @param {number} [digits] */
  const two = (n, digits = 2) => String(n).padStart(digits, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${two(date.getMilliseconds(), 3)}`;
}
