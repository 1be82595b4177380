// @ts-check
import cliProgress from 'cli-progress';

/** @typedef {import('./run.mjs').Progress} Progress */

const lineEveryMs = 10_000;

/**
 * A bar on a terminal, a line now and then elsewhere.
 * @param {import('./options.mjs').Options} options
 * @param {(line: string) => void} say
 */
export function showProgress({ reads: wanted, seconds: limit, faults, times }, say) {
  const total = limit ?? wanted;
  const done = (/** @type {Progress} */ { reads, seconds }) =>
    Math.min(total, Math.floor(limit === undefined ? reads : seconds));
  const text = (/** @type {Progress} */ { reads, faults: count, least, seconds }) =>
    `${reads} reads, ${count} faults${faults.length > 0 ? ` (each ${least} of ${times} times)` : ''}, ${Math.floor(seconds)} s`;
  if (!process.stderr.isTTY) {
    let nextMs = performance.now() + lineEveryMs;
    const update = (/** @type {Progress} */ progress) => {
      if (performance.now() < nextMs) return;
      nextMs = performance.now() + lineEveryMs;
      say(text(progress));
    };
    return { update, stop: () => undefined };
  }
  const bar = new cliProgress.SingleBar({
    format: '{bar} {percentage}% | {text}',
    hideCursor: true,
    stream: process.stderr,
  });
  bar.start(total, 0, { text: 'starting' });
  return {
    update: (/** @type {Progress} */ progress) => bar.update(done(progress), { text: text(progress) }),
    stop: () => bar.stop(),
  };
}
