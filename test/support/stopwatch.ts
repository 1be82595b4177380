/** How often the recorder below looks at the clock. */
const tickMs = 10;
/** Smaller delays are what timers are like on any machine. */
const ordinaryMs = 25;

interface Stall {
  readonly endedMs: number;
  readonly ms: number;
}

/**
 * Notes when this process did not run: a timer that comes late was held up, by the machine or by work of our own. One for
 * all stopwatches, and it keeps no process alive.
 */
class StallRecorder {
  readonly #stalls: Stall[] = [];
  #lastMs = performance.now();

  constructor() {
    setInterval(() => this.#look(), tickMs).unref();
  }

  /** The stalls that ended after a moment, each with the part of it that came after that moment. */
  since(startMs: number): number[] {
    // What came in during a stall may be handled before the timer that is late.
    this.#look();
    const later = this.#stalls.filter(({ endedMs }) => endedMs > startMs);
    return later.map(({ endedMs, ms }) => Math.min(ms, endedMs - startMs));
  }

  #look(): void {
    const nowMs = performance.now();
    const ms = nowMs - this.#lastMs - tickMs;
    this.#lastMs = nowMs;
    if (ms > ordinaryMs) this.#stalls.push({ endedMs: nowMs, ms });
  }
}

const recorder = new StallRecorder();

/**
 * Measures how long something takes, apart from how long this process stood still meanwhile. An upper bound on a duration
 * is a claim about `awakeMs`; a busy machine only makes `elapsedMs` longer.
 */
export class Stopwatch {
  readonly #startMs = performance.now();

  /** Time on the clock. */
  get elapsedMs(): number {
    return performance.now() - this.#startMs;
  }

  /** How long the process stood still, all stalls together. */
  get stalledMs(): number {
    return recorder.since(this.#startMs).reduce((sum, ms) => sum + ms, 0);
  }

  /** The longest of the stalls. */
  get longestStallMs(): number {
    return Math.max(0, ...recorder.since(this.#startMs));
  }

  get awakeMs(): number {
    return Math.max(0, this.elapsedMs - this.stalledMs);
  }
}
