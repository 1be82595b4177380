/** Callers that wait for one event, each with its own timeout. A caller that stops waiting leaves no timer behind. */
export class Waiters {
  readonly #settles = new Set<(come: boolean) => void>();

  /** @returns whether it has come within the time, in ms */
  wait(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (come: boolean): void => {
        clearTimeout(timer);
        this.#settles.delete(settle);
        resolve(come);
      };
      const timer = setTimeout(settle, timeoutMs, false);
      this.#settles.add(settle);
    });
  }

  /** @param come whether it has; if not, it will not come any more */
  end(come: boolean): void {
    for (const settle of this.#settles) settle(come);
  }
}
