import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';

/** Time as a port: leases and freshness run on the monotonic clock, never on the wall clock. */
export abstract class Clock {
  /** Milliseconds since an arbitrary start; never jumps. */
  abstract monotonicMs(): number;
  /** Milliseconds since the Unix epoch; may jump. */
  abstract wallMs(): number;

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
