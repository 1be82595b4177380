import { DeadlineExceededError } from '../../cache.errors.js';

interface Waiting {
  readonly dueAtMs: number;
  settled: boolean;
  readonly reject: (error: Error) => void;
}

/**
 * One deadline for many commands. All of them wait equally long, so the oldest is due first and a single timer is
 * enough, where a timer per command would cost more than the command.
 */
export class Deadlines {
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param timeoutMs how long each command may take */
  constructor(private readonly timeoutMs: number) {}

  /** @throws {DeadlineExceededError} if the command has not settled in time. */
  bound<T>(command: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = { dueAtMs: performance.now() + this.timeoutMs, settled: false, reject };
      this.#waiting.push(waiting);
      if (!this.#timer) this.#timer = setTimeout(this.#expire, this.timeoutMs).unref();
      command.then(
        (value) => {
          waiting.settled = true;
          resolve(value);
        },
        (error: Error) => {
          waiting.settled = true;
          reject(error);
        },
      );
    });
  }

  /** Answers that came in while this process was busy are read before anything is given up. */
  readonly #expire = (): void => void setImmediate(this.#sweep);

  readonly #sweep = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    let done = 0;
    for (const { settled, dueAtMs, reject } of this.#waiting) {
      if (!settled && dueAtMs > now) break;
      if (!settled) reject(new DeadlineExceededError(this.timeoutMs));
      done += 1;
    }
    this.#waiting.splice(0, done);
    const next = this.#waiting[0];
    if (next) this.#timer = setTimeout(this.#expire, Math.max(1, next.dueAtMs - now)).unref();
  };
}
