import { unavailable } from '../http/index.js';

/** Lets some pieces of work run at the same time, and some more wait for their turn, in the order in which they came. */
export class Slots {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(
    private readonly most: number,
    private readonly mostWaiting: number,
  ) {}

  /** @throws 503 when too many wait */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.most) this.#running += 1;
    else if (this.#waiting.length >= this.mostWaiting) throw unavailable('Too many searches are under way.');
    // Whoever has finished hands its slot over.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
