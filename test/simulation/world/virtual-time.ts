import { Clock } from '../../../src/cache/index.js';

interface Timer {
  readonly dueMs: number;
  readonly fire: () => void;
}

/**
 * The only time there is in a simulated world. It passes when a step says so; timers that have become due fire in order,
 * each with the clock at its own moment.
 */
export class VirtualTime extends Clock {
  #nowMs = 1_000;
  readonly #timers = new Set<Timer>();

  override monotonicMs(): number {
    return this.#nowMs;
  }

  override wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  /** @param settle lets whatever a timer has woken run until it waits again */
  async pass(ms: number, settle: () => Promise<void>): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (let timer = this.#next(); timer && timer.dueMs <= untilMs; timer = this.#next()) {
      this.#timers.delete(timer);
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
      timer.fire();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  /** Time goes by at once: a timer fires late, and once, however long it was overdue. */
  leap(ms: number): void {
    this.#nowMs += ms;
    for (const timer of [...this.#timers].filter(({ dueMs }) => dueMs <= this.#nowMs)) {
      this.#timers.delete(timer);
      timer.fire();
    }
  }

  get nextTimerMs(): number | undefined {
    const next = this.#next();
    return next && Math.max(0, next.dueMs - this.#nowMs);
  }

  setTimeout(fire: () => void, ms = 0): Timer & { unref(): Timer } {
    const timer = { dueMs: this.#nowMs + ms, fire, unref: () => timer };
    this.#timers.add(timer);
    return timer;
  }

  /** For as long as there is a world. */
  setInterval(fire: () => void, ms: number): { unref(): object } {
    const again = (): void => {
      this.setTimeout(again, ms);
      fire();
    };
    return this.setTimeout(again, ms);
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as Timer);
  }

  override async sleep(ms: number): Promise<void> {
    await this.wait(ms);
  }

  /** What `node:timers/promises` offers. */
  wait<T>(ms = 0, value?: T, { signal }: { readonly signal?: AbortSignal } = {}): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const timer = this.setTimeout(() => resolve(value), ms);
      signal?.addEventListener('abort', () => {
        this.#timers.delete(timer);
        reject(new Error('the sleep was interrupted'));
      });
    });
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (!next || timer.dueMs < next.dueMs) next = timer;
    return next;
  }
}
