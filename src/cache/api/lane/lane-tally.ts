import { Injectable, Logger } from '@nestjs/common';
import { CacheCounters } from '../../counters.js';
import { CacheEvents } from '../../events.js';

/** How often what has been counted is told, in ms. */
const tellEveryMs = 1_000;

/**
 * Counts the fast lane's answers: one addition each, at once, where the metrics read it. The log and whoever listens to the
 * events hear of them once a second, in one line.
 */
@Injectable()
export class LaneTally {
  readonly #logger = new Logger('FastLane');
  #total = 0;
  #told = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly counters: CacheCounters,
    private readonly events: CacheEvents,
  ) {}

  /** Answers since the application began. */
  get total(): number {
    return this.#total;
  }

  begin(): void {
    this.#timer = setInterval(() => this.tell(), tellEveryMs).unref();
  }

  end(): void {
    clearInterval(this.#timer);
    this.tell();
  }

  count(): void {
    this.counters.requests.api.l1.hit += 1;
    this.#total += 1;
  }

  tell(): void {
    const answers = this.#total - this.#told;
    if (answers === 0) return;
    this.#told = this.#total;
    this.events.emit({ type: 'lane', answers });
    this.#logger.debug(`${answers} answers since the last line, none of them logged by itself`);
  }
}
