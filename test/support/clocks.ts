import { type TestingModuleBuilder } from '@nestjs/testing';
import { Clock, SystemClock } from '../../src/cache/index.js';

/** Time that can be moved on, everywhere in a service at once. */
export class MovableClock extends SystemClock {
  aheadMs = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + this.aheadMs;
  }

  override wallMs(): number {
    return super.wallMs() + this.aheadMs;
  }
}

/**
 * A clock whose long sleeps end when the test says so: then that much time has passed. What a service does before, during
 * and after a wait is an order of events, however long the machine takes for them.
 */
export class SteppedClock extends MovableClock {
  readonly #sleeping: { readonly ms: number; readonly wake: () => void }[] = [];

  /** @param longMs shorter sleeps are real */
  constructor(private readonly longMs: number) {
    super();
  }

  /** How long the services that sleep now want to sleep. */
  get sleeping(): readonly number[] {
    return this.#sleeping.map(({ ms }) => ms);
  }

  override sleep(ms: number): Promise<void> {
    if (ms < this.longMs) return super.sleep(ms);
    return new Promise((wake) => this.#sleeping.push({ ms, wake }));
  }

  /** Lets as much time pass as the longest sleep takes, and ends them all. */
  pass(): void {
    this.aheadMs += Math.max(0, ...this.sleeping);
    this.wakeAll();
  }

  /** Ends all sleeps, although no time has passed: nobody may be waiting for them any more. */
  wakeAll(): void {
    for (const { wake } of this.#sleeping.splice(0)) wake();
  }
}

/** A clock with sleeps of 50 ms at the most: for long leases where nobody has to be waited for until they run out. */
class ImpatientClock extends SystemClock {
  override sleep(ms: number): Promise<void> {
    return super.sleep(Math.min(ms, 50));
  }
}

export const withClock =
  (clock: Clock) =>
  (builder: TestingModuleBuilder): TestingModuleBuilder =>
    builder.overrideProvider(Clock).useValue(clock);

/** Switches to `strict` at once, although leases are long: no test that uses it is about them. */
export const impatiently = withClock(new ImpatientClock());
