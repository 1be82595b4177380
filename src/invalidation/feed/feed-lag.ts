/** How long what is written into the log takes until everything before it is known to the cache. */
export class FeedLag {
  readonly #under = new Map<string, number>();
  #lastMs = 0;
  #next = 0;

  /** @returns what to write */
  sent(): string {
    const text = String((this.#next += 1));
    this.#under.set(text, performance.now());
    return text;
  }

  returned(text: string): void {
    const sentAtMs = this.#under.get(text);
    if (sentAtMs === undefined) return;
    this.#lastMs = performance.now() - sentAtMs;
    for (const [other, atMs] of this.#under) if (atMs <= sentAtMs) this.#under.delete(other);
  }

  /** The last measurement, or how long the next has been taking if that is more. */
  get seconds(): number {
    const [oldest] = this.#under.values();
    const waitingMs = oldest === undefined ? 0 : performance.now() - oldest;
    return Math.max(this.#lastMs, waitingMs) / 1_000;
  }

  forget(): void {
    this.#under.clear();
    this.#lastMs = 0;
  }
}
