import { Clock } from '../../src/cache/index.js';

/** Time that passes only when it is told to. */
export class FakeClock extends Clock {
  #monotonicMs = 1_000;
  #wallMs = 1_700_000_000_000;

  override monotonicMs(): number {
    return this.#monotonicMs;
  }

  override wallMs(): number {
    return this.#wallMs;
  }

  advance(ms: number): void {
    this.#monotonicMs += ms;
    this.#wallMs += ms;
  }

  /** A machine that slept: the wall clock went on, the monotonic one did not. */
  suspend(ms: number): void {
    this.#wallMs += ms;
  }
}
