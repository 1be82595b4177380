// @ts-check
import { SliceRecorder } from '../measure/slice.mjs';

/**
 * So many callers, each of which calls again once it is answered. Each calls once at least: also on a machine that stands
 * still when the slice begins, until it would be over.
 * @param {() => Promise<unknown>} operation
 * @param {number} inFlight
 * @returns {(forMs: number) => Promise<import('../measure/slice.mjs').Slice>}
 */
export function closedLoop(operation, inFlight) {
  return async (forMs) => {
    const recorder = new SliceRecorder();
    const untilMs = performance.now() + forMs;
    const caller = async () => {
      let beganMs = performance.now();
      do {
        await operation();
        const endedMs = performance.now();
        recorder.add(endedMs - beganMs);
        beganMs = endedMs;
      } while (beganMs < untilMs);
    };
    await Promise.all(Array.from({ length: inFlight }, caller));
    return recorder.end();
  };
}
