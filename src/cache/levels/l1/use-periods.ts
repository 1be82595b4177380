import { type Moment } from '../../clock.js';

/** One ends when this share of the level has been filled anew, ... */
const share = 1 / 16;
/** ... or after so long. */
const longestMs = 10_000;

/**
 * An entry that is served in place is told to have been used once a period, which costs little. The order of use is right to
 * within a period: what was used in this one stays for as long as there is anything that was not.
 */
export class UsePeriods {
  #filled = 0;

  constructor(private readonly maxBytes: number) {}

  filled(bytes: number): void {
    this.#filled += bytes / (this.maxBytes * share);
  }

  /** A whole number, another one in each period. */
  at({ monotonicMs }: Moment): number {
    return Math.floor(this.#filled) + Math.floor(monotonicMs / longestMs);
  }
}
