import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * What a piece of work, with all that it awaits, can look up. While no such work is under way the storage is off: what Node
 * does to follow it would cost every answer of the fast lane a microsecond or two.
 */
export class WorkStorage<T> {
  readonly #storage = new AsyncLocalStorage<T | undefined>();
  #underWay = 0;

  get current(): T | undefined {
    return this.#storage.getStore();
  }

  async run<Result>(value: T, work: () => Promise<Result>): Promise<Result> {
    this.#underWay += 1;
    try {
      return await this.#storage.run(value, work);
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#storage.disable();
    }
  }

  /** Runs a piece of work that outlives, or does not belong to, the one that is under way. */
  outside<Result>(work: () => Result): Result {
    return this.current === undefined ? work() : this.#storage.run(undefined, work);
  }
}
