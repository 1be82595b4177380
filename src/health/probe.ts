import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

/** Resolves once the time is over, behind every answer that came in while this process was busy. */
export async function late<T>(timeoutMs: number, outcome: T, signal: AbortSignal): Promise<T> {
  await sleep(timeoutMs, undefined, { signal });
  return turn(outcome);
}

/**
 * A question with a deadline, asked by one at a time: as long as nobody has answered it, it is not asked again, so that
 * health checks never pile up on a server that hangs.
 */
export class Probe {
  #pending: Promise<boolean> | undefined;

  /** @param ask rejects where the answer is no */
  constructor(
    private readonly ask: () => Promise<unknown>,
    private readonly timeoutMs: number,
  ) {}

  /** Whether there was an answer in time. */
  async answers(): Promise<boolean> {
    this.#pending ??= this.#ask().finally(() => (this.#pending = undefined));
    const answered = new AbortController();
    try {
      return await Promise.race([this.#pending, late(this.timeoutMs, false, answered.signal)]);
    } finally {
      answered.abort();
    }
  }

  async #ask(): Promise<boolean> {
    try {
      await this.ask();
      return true;
    } catch {
      return false;
    }
  }
}
