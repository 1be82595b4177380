import { byId, fill, html, size } from './dom.js';
import { count, duration } from './format.js';
import { origins } from './levels.js';

/** @typedef {import('../counters.js').Counters} Counters */
/** @typedef {{ counts: readonly number[], sumSeconds: number }} Durations */

/** Ends of the scale, in seconds. */
const fastest = 0.000_01;
const slowest = 1;

/** @param {number} seconds its place on the scale, of 1 */
const place = (seconds) =>
  Math.min(1, Math.max(0, Math.log(Math.max(seconds, fastest) / fastest) / Math.log(slowest / fastest)));

/** How long answers took, by the level that gave them. @param {Counters | undefined} from @param {Counters} to */
export function showLatency(from, to) {
  const body = /** @type {Element} */ (byId('latency').querySelector('tbody'));
  fill(
    body,
    ...origins.map((origin) => row(origin, since(from?.answers[origin.id], to.answers[origin.id]), to.buckets)),
  );
}

/** @param {Durations | undefined} before @param {Durations | undefined} now @returns {Durations | undefined} */
function since(before, now) {
  if (!now || !before) return now;
  return {
    counts: now.counts.map((n, at) => n - (before.counts[at] ?? 0)),
    sumSeconds: now.sumSeconds - before.sumSeconds,
  };
}

/** @param {typeof origins[number]} origin @param {Durations | undefined} durations @param {readonly number[]} buckets */
function row({ id, name }, durations, buckets) {
  const total = durations?.counts.reduce((sum, n) => sum + n, 0) ?? 0;
  if (!durations || total === 0)
    return html(
      'tr',
      { class: id },
      html('th', { scope: 'row' }, name),
      html('td', {}, html('span', { class: 'scale' })),
      html('td', { class: 'number muted' }, '–'),
      html('td', { class: 'number muted' }, '–'),
    );
  const mean = durations.sumSeconds / total;
  const high = quantile(durations.counts, total * 0.95, buckets);
  const bar = size(html('span', { class: 'range' }), {
    '--from': String(place(mean)),
    '--to': String(Math.max(place(high ?? slowest), place(mean))),
  });
  return html(
    'tr',
    { class: id },
    html(
      'th',
      { scope: 'row' },
      name,
      html('small', {}, ` ${count(total)}`, html('span', { class: 'unseen' }, ' answers')),
    ),
    html('td', {}, html('span', { class: 'scale' }, bar)),
    html('td', { class: 'number' }, duration(mean)),
    html('td', { class: 'number muted' }, high === undefined ? '> 10 s' : `≤ ${duration(high)}`),
  );
}

/** The upper bound of the bucket that so many answers reach into. @param {readonly number[]} counts @param {number} wanted @param {readonly number[]} buckets */
function quantile(counts, wanted, buckets) {
  let seen = 0;
  for (const [at, n] of counts.entries()) {
    seen += n;
    if (seen >= wanted) return buckets[at];
  }
  return undefined;
}
