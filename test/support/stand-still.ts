import { until } from './until.js';

const never = new Int32Array(new SharedArrayBuffer(4));

/** Stops this process, as a busy machine does; others run on. */
export const standStill = (ms: number): unknown => Atomics.wait(never, 0, 0, ms);

/**
 * Has a question answered while this process stands still, as soon as it has been sent. The process that answers may stand
 * still as well: then this one does so for longer.
 * @param ask resolves with whether the answer was in time
 * @param sentAtOnce not, as a client of Redis does, at the end of the turn
 * @param firstMs how long it stands still at first: longer than the answer may take
 */
export async function answeredMeanwhile(
  ask: () => Promise<boolean>,
  { sentAtOnce = false, firstMs = 500 } = {},
): Promise<void> {
  let stillMs = firstMs;
  await until(async () => {
    // Timers come next in Node's event loop, and what came in meanwhile behind them.
    await new Promise((resolve) => setImmediate(resolve));
    const answer = ask();
    if (sentAtOnce) standStill(stillMs);
    else setImmediate(standStill, stillMs);
    stillMs = Math.min(2 * stillMs, 4 * firstMs);
    return answer;
  });
}
