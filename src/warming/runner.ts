import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { CacheEvents, Clock, LevelUnavailableError, RedisConnection } from '../cache/index.js';
import { added, newTally, tickName, type WarmingJob, type WarmingPosition, type WarmingResult } from './job.js';
import { WarmingJobs } from './jobs.js';
import { lockDurationMs } from './queue/queue-options.js';
import { type WarmingBull, WarmingQueue } from './queue/warming-queue.js';
import { WarmingSchedule } from './schedule.js';
import { type Walk } from './warmer.js';
import { JobLostError, JobReleasedError } from './warming.errors.js';
import { Warmers } from './warmers.js';

const reopenTimeoutMs = 1_000;

/** Works through one job at a time, batch by batch; after each the job could go on in another process. */
@Injectable()
export class WarmingRunner implements OnApplicationBootstrap {
  readonly #logger = new Logger('Warming');

  constructor(
    private readonly queue: WarmingQueue,
    private readonly jobs: WarmingJobs,
    private readonly schedule: WarmingSchedule,
    private readonly warmers: Warmers,
    private readonly connection: RedisConnection,
    private readonly clock: Clock,
    private readonly events: CacheEvents,
  ) {}

  onApplicationBootstrap(): void {
    const { bull } = this.queue;
    if (!bull) return;
    bull.on('error', (error: Error) => this.#logger.debug(`queue: ${error.message}`));
    bull.on('completed', (job: WarmingJob, result: WarmingResult | undefined) => this.#completed(job, result));
    bull.on('failed', (job: WarmingJob | null, error: Error) => this.#failed(job, error));
    bull
      .process('*', 1, (job: WarmingJob) => (job.name === tickName ? this.schedule.tick() : this.#run(bull, job)))
      .catch((error: Error | undefined) => this.#logger.debug(`no jobs are taken: ${error?.message}`));
  }

  async #run(bull: WarmingBull, job: WarmingJob): Promise<WarmingResult> {
    const before = job.data.position?.done ?? 0;
    // A connection that was given up is back in a moment: too short for an attempt to fail.
    await this.connection.untilOpen(reopenTimeoutMs);
    try {
      for (;;) {
        const result = await this.#walk(bull, job);
        if (result) return result;
      }
    } catch (error) {
      if (error instanceof LevelUnavailableError && error.reason === 'disabled') await job.discard();
      // Bull counts this attempt in a moment. Handing over is none, and only attempts that got no further add up.
      if (error instanceof JobReleasedError) job.attemptsMade -= 1;
      else if ((job.data.position?.done ?? 0) > before) job.attemptsMade = -1;
      throw error;
    }
  }

  /** @returns undefined where all that was filled has gone: the walk is to begin again */
  async #walk(bull: WarmingBull, job: WarmingJob): Promise<WarmingResult | undefined> {
    const walk = this.#walkOf(job);
    const limit = job.data.request.limit ?? Infinity;
    let position = await this.#position(job, walk, limit);
    if (await this.jobs.isCancelled(bull, job)) return { ...position.tally, cancelled: true };
    let markMs = this.clock.monotonicMs();
    for await (const batch of walk.batches({ after: position.cursor, limit: limit - position.done })) {
      const outcome = await batch.warm();
      const nowMs = this.clock.monotonicMs();
      const tally = added(position.tally, outcome, (nowMs - markMs) / 1000);
      position = { ...position, cursor: batch.cursor, done: position.done + batch.size, tally };
      markMs = nowMs;
      if (await this.#save(bull, job, position)) return { ...position.tally, cancelled: true };
      if (this.queue.closing) throw new JobReleasedError();
      if (this.connection.gen !== position.gen) return undefined;
    }
    await job.progress(100);
    return { ...position.tally, cancelled: false };
  }

  /** Where the job goes on: at the beginning, unless what an earlier attempt has filled is still there. */
  async #position({ data }: WarmingJob, walk: Walk, limit: number): Promise<WarmingPosition> {
    const { gen } = this.connection;
    if (data.position?.gen === gen) return data.position;
    const seconds = data.position?.tally.seconds ?? 0;
    return { gen, done: 0, total: Math.min(limit, await walk.count()), tally: { ...newTally, seconds } };
  }

  #walkOf({ data: { request } }: WarmingJob): Walk {
    const { entity, strategy, ids = [] } = request;
    const warmer = this.warmers.named(entity);
    if (!warmer) throw new Error(`nothing is known of ${entity} here`);
    return warmer.walk(strategy === 'ids' ? { strategy, ids } : { strategy });
  }

  /**
   * Makes the position known; all in one pipeline.
   * @returns whether the job is to end here
   * @throws {JobLostError}
   */
  async #save(bull: WarmingBull, job: WarmingJob, position: WarmingPosition): Promise<boolean> {
    const percent = position.total > 0 ? Math.floor((100 * position.done) / position.total) : 0;
    const progress = Math.max(Number(job.progress()), Math.min(99, percent));
    const [held, , , cancelled] = await Promise.all([
      job.extendLock(lockDurationMs),
      job.update({ ...job.data, position }),
      job.progress(progress),
      this.jobs.isCancelled(bull, job),
    ]);
    if (held !== 1) throw new JobLostError();
    return cancelled;
  }

  #completed(job: WarmingJob, result: WarmingResult | undefined): void {
    if (job.name === tickName || !result) return;
    const { warmed, alreadyCached, refused, seconds, cancelled } = result;
    const outcome = `${warmed} warmed, ${alreadyCached} already cached, ${refused} refused in ${seconds} s`;
    this.#logger.log(`job ${job.id} (${describe(job)}) ${cancelled ? 'was cancelled' : 'is done'}: ${outcome}`);
    this.events.emit({ type: 'warmed', result: cancelled ? 'cancelled' : 'completed' });
  }

  #failed(job: WarmingJob | null, error: Error): void {
    if (!job || error instanceof JobReleasedError) return;
    this.#logger.warn(`job ${job.id} (${describe(job)}), attempt ${job.attemptsMade}: ${error.message}`);
    if (job.finishedOn) this.events.emit({ type: 'warmed', result: 'failed' });
  }
}

const describe = ({ name, data: { request } }: WarmingJob): string =>
  request ? `${request.entity}, ${request.strategy}` : name;
