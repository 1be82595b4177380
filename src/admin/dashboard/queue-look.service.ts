import { Injectable } from '@nestjs/common';
import { Clock } from '../../cache/index.js';
import { WarmingQueue } from '../../warming/index.js';
import { type QueueCounts } from './counters.js';

const everyMs = 2_000;

/** What the queue said when it was last asked: asking takes a while, and nobody who looks at a page waits for it. */
@Injectable()
export class QueueLook {
  #latest: QueueCounts | null = null;
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly queue: WarmingQueue,
    private readonly clock: Clock,
  ) {}

  latest(): QueueCounts | null {
    const nowMs = this.clock.monotonicMs();
    if (nowMs >= this.#nextMs) {
      this.#nextMs = nowMs + everyMs;
      void this.#ask();
    }
    return this.#latest;
  }

  async #ask(): Promise<void> {
    try {
      const { waiting, active, delayed, failed, completed } = await this.queue.call((bull) => bull.getJobCounts());
      this.#latest = { waiting, active, delayed, failed, completed };
    } catch {
      this.#latest = null;
    }
  }
}
