import { Injectable, Logger } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { Clock } from '../cache/index.js';
import { Settings } from '../config/index.js';
import { Lifecycle } from '../http/index.js';
import { type WarmingJobView, WarmingJobs } from './jobs.js';
import { Warmers } from './warmers.js';
import { WarmingUnavailableError } from './warming.errors.js';

const pollMs = 100;

/**
 * Warms before the node says that it is ready. The jobs are the cluster's: a node that starts next to warm ones waits for
 * next to nothing. What is not done in time goes on behind the node's back.
 */
@Injectable()
export class WarmingAtBoot {
  readonly #logger = new Logger('Warming');

  constructor(
    private readonly settings: Settings,
    private readonly lifecycle: Lifecycle,
    private readonly jobs: WarmingJobs,
    private readonly warmers: Warmers,
    private readonly clock: Clock,
  ) {}

  /** Never fails, and ends when the jobs do, or the time, or the process. */
  async run(): Promise<void> {
    const { warmAtBoot: strategy, warmAtBootTimeoutMs, redisUrl } = this.settings;
    if (strategy === 'off' || !redisUrl) return;
    this.lifecycle.become('warming');
    const deadlineMs = this.clock.monotonicMs() + warmAtBootTimeoutMs;
    const inTime = () => this.clock.monotonicMs() < deadlineMs && !this.lifecycle.draining.aborted;
    for (const entity of this.warmers.entities()) {
      let job: WarmingJobView | undefined;
      while (inTime() && !(job && isFinished(job))) {
        if (job) await sleep(pollMs);
        job = await this.#ask(() => (job ? this.jobs.find(job.id) : this.jobs.enqueue({ entity, strategy })));
        if (!job) await sleep(pollMs);
      }
      const outcome =
        job?.state === 'completed' ? 'is warm' : `is not warm after ${warmAtBootTimeoutMs} ms; it goes on`;
      this.#logger.log(`${entity} ${outcome}`);
    }
  }

  async #ask(question: () => Promise<WarmingJobView | undefined>): Promise<WarmingJobView | undefined> {
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof WarmingUnavailableError)) this.#logger.error(error);
      return undefined;
    }
  }
}

const isFinished = ({ state }: WarmingJobView): boolean =>
  state === 'completed' || state === 'failed' || state === 'cancelled';
