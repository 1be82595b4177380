import { DeadlineExceededError } from '../../cache.errors.js';

/** Into how many steps a deadline is divided. */
const steps = 5;

interface PendingCommand {
  /** In own time. */
  dueAtMs: number;
  settled: boolean;
  /** @returns whether the deadline is set anew */
  readonly expire: () => boolean;
}

/**
 * One deadline for many commands, in this process's own time: a turn of the event loop counts for at most a step (a fifth
 * of the deadline), however long it took. So no command expires before the loop has turned several times, and each turn
 * sends what is to be sent and reads what has come in. An answer is late only if the server, or the way to it, is late;
 * a process that was busy, or had no processor, does not take itself for an outage.
 *
 * All commands wait equally long, so the oldest is due first, and one timer is enough, which runs only while a command
 * waits.
 */
export class Deadlines {
  readonly #waiting: PendingCommand[] = [];
  readonly #stepMs: number;
  #timer: NodeJS.Timeout | undefined;
  /** Own time, as of `#readAtMs`. */
  #ownMs = 0;
  #readAtMs = 0;

  /** @param timeoutMs how long each command may take */
  constructor(private readonly timeoutMs: number) {
    this.#stepMs = timeoutMs / steps;
  }

  /** @throws {DeadlineExceededError} if the command has not settled in time. */
  bound<T>(command: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settled = this.#wait(() => {
        reject(new DeadlineExceededError(this.timeoutMs));
        return false;
      });
      command.then(
        (value) => {
          settled();
          resolve(value);
        },
        (error: Error) => {
          settled();
          reject(error);
        },
      );
    });
  }

  /** Calls `late` each time that the deadline passes, for as long as the command has not settled. */
  watch<T>(command: Promise<T>, late: (error: DeadlineExceededError) => void): Promise<T> {
    const settled = this.#wait(() => {
      late(new DeadlineExceededError(this.timeoutMs));
      return true;
    });
    return command.finally(settled);
  }

  /** @returns what to call once the command has settled */
  #wait(expire: () => boolean): () => void {
    if (!this.#timer) {
      this.#readAtMs = performance.now();
      this.#arm();
    }
    const waiting: PendingCommand = { dueAtMs: this.#now() + this.timeoutMs, settled: false, expire };
    this.#waiting.push(waiting);
    return () => (waiting.settled = true);
  }

  #now(): number {
    return this.#ownMs + Math.min(performance.now() - this.#readAtMs, this.#stepMs);
  }

  /** Behind the timer the loop reads what has come in, and only then is anything judged. */
  #arm(): void {
    this.#timer = setTimeout(() => setImmediate(this.#turn), this.#stepMs).unref();
  }

  readonly #turn = (): void => {
    this.#ownMs = this.#now();
    this.#readAtMs = performance.now();
    let oldest = 0;
    for (; oldest < this.#waiting.length; oldest += 1) {
      const waiting = this.#waiting[oldest]!;
      if (waiting.settled) continue;
      if (waiting.dueAtMs > this.#ownMs) break;
      if (!waiting.expire()) continue;
      waiting.dueAtMs = this.#ownMs + this.timeoutMs;
      this.#waiting.push(waiting);
    }
    this.#waiting.splice(0, oldest);
    this.#timer = undefined;
    if (this.#waiting.length > 0) this.#arm();
  };
}
