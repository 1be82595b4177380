import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';

/** A moment on both clocks, in ms. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** Whether less than `ms` have passed since a moment, on either clock: the wall clock goes on while the machine sleeps. */
export const isWithin = (ms: number, since: Moment, now: Moment): boolean =>
  now.monotonicMs < since.monotonicMs + ms && now.wallMs < since.wallMs + ms;

/** Time as a port: whatever has a duration runs on the monotonic clock; where the machine may sleep, on both. */
export abstract class Clock {
  /** Milliseconds since an arbitrary start; never jumps. */
  abstract monotonicMs(): number;
  /** Milliseconds since the Unix epoch; may jump. */
  abstract wallMs(): number;

  now(): Moment {
    return { monotonicMs: this.monotonicMs(), wallMs: this.wallMs() };
  }

  /** Lets time pass. */
  sleep(ms: number): Promise<void> {
    return sleep(ms);
  }
}

@Injectable()
export class SystemClock extends Clock {
  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }
}
