import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Settings } from '../config/index.js';
import { tickName } from './job.js';
import { WarmingJobs } from './jobs.js';
import { WarmingQueue } from './queue/warming-queue.js';
import { Warmers } from './warmers.js';

/**
 * The repeatable job: exactly one per cluster, because all nodes register it under the same name. It only ticks: a tick
 * asks for `recent` of every entity like anybody else would.
 */
@Injectable()
export class WarmingSchedule implements OnApplicationBootstrap {
  readonly #logger = new Logger('Warming');

  constructor(
    private readonly settings: Settings,
    private readonly queue: WarmingQueue,
    private readonly jobs: WarmingJobs,
    private readonly warmers: Warmers,
  ) {}

  /** Again with every connection: Redis may have come back without its data. */
  onApplicationBootstrap(): void {
    this.queue.onAvailable(() => void this.ensure());
  }

  /** Makes the schedule the one that is configured; an earlier one is removed. */
  async ensure(): Promise<void> {
    const cron = this.settings.warmSchedule;
    try {
      await this.queue.call(async (bull) => {
        for (const job of await bull.getRepeatableJobs())
          if (job.name === tickName && job.cron !== cron) await bull.removeRepeatableByKey(job.key);
        if (cron === 'off') return;
        await bull.add(tickName, {} as never, { repeat: { cron }, attempts: 1, removeOnComplete: true });
      });
    } catch (error) {
      this.#logger.warn(`the schedule could not be registered: ${(error as Error).message}`);
    }
  }

  async tick(): Promise<void> {
    for (const entity of this.warmers.entities()) await this.jobs.enqueue({ entity, strategy: 'recent' });
  }
}
