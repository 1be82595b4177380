import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CacheEvents } from '../cache/index.js';
import { Settings } from '../config/index.js';
import { WarmingJobs } from './jobs.js';
import { WarmingSchedule } from './schedule.js';
import { Warmers } from './warmers.js';

/** Generations may follow each other quickly; the last one counts. */
const settleMs = 1_000;

/**
 * Warms again when the shared level has lost everything while the service ran. The node that begins the new generation
 * does it; should several, the queue takes their wishes for one.
 */
@Injectable()
export class WarmingAfterFlush implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger('Warming');
  #timer: NodeJS.Timeout | undefined;
  #stop: (() => void) | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly events: CacheEvents,
    private readonly jobs: WarmingJobs,
    private readonly schedule: WarmingSchedule,
    private readonly warmers: Warmers,
  ) {}

  onApplicationBootstrap(): void {
    this.#stop = this.events.on('generation', ({ fresh }) => {
      if (!fresh) return;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.#warm(), settleMs).unref();
    });
  }

  onModuleDestroy(): void {
    this.#stop?.();
    clearTimeout(this.#timer);
  }

  async #warm(): Promise<void> {
    // The schedule was lost with the rest.
    await this.schedule.ensure();
    const strategy = this.settings.warmAfterFlush;
    if (strategy === 'off') return;
    try {
      for (const entity of this.warmers.entities()) await this.jobs.enqueue({ entity, strategy });
    } catch (error) {
      this.#logger.warn(`no warming after the flush: ${(error as Error).message}`);
    }
  }
}
