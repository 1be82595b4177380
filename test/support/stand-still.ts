const never = new Int32Array(new SharedArrayBuffer(4));

/** Stops this process, as a busy machine does; others run on. */
export const standStill = (ms: number): unknown => Atomics.wait(never, 0, 0, ms);
