// @ts-check
import { SliceRecorder } from '../measure/slice.mjs';

/**
 * So many callers, each of which calls again once it is answered.
 * @param {() => Promise<unknown>} operation
 * @param {number} inFlight
 * @returns {(forMs: number) => Promise<import('../measure/slice.mjs').Slice>}
 */
export function closedLoop(operation, inFlight) {
  return async (forMs) => {
    const recorder = new SliceRecorder();
    const untilMs = performance.now() + forMs;
    const caller = async () => {
      for (let beganMs = performance.now(); beganMs < untilMs;) {
        await operation();
        const endedMs = performance.now();
        recorder.add(endedMs - beganMs);
        beganMs = endedMs;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, caller));
    return recorder.end();
  };
}
