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
  #untold = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly counters: CacheCounters,
    private readonly events: CacheEvents,
  ) {}

  begin(): void {
    this.#timer = setInterval(() => this.tell(), tellEveryMs).unref();
  }

  end(): void {
    clearInterval(this.#timer);
    this.tell();
  }

  count(): void {
    this.counters.requests.api.l1.hit += 1;
    this.#untold += 1;
  }

  tell(): void {
    if (this.#untold === 0) return;
    const answers = this.#untold;
    this.#untold = 0;
    this.events.emit({ type: 'lane', answers });
    this.#logger.debug(`${answers} answers since the last line, none of them logged by itself`);
  }
}
