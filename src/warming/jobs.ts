import { Injectable, Logger } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { CacheEvents } from '../cache/index.js';
import { warmName, type WarmingJob, type WarmingRequest, type WarmingResult, type WarmingTally } from './job.js';
import { type WarmingBull, WarmingQueue } from './queue/warming-queue.js';

export const jobStates = ['waiting', 'active', 'delayed', 'completed', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

/** A job as it is answered. */
export interface WarmingJobView extends Partial<WarmingTally> {
  readonly id: string;
  readonly state: JobState;
  /** 0 to 100; 100 once everything is warm, not before. */
  readonly progress: number;
  readonly request: WarmingRequest;
  readonly attempts: number;
  readonly error?: string;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
}

/** How many rows `recent` means where nobody says it. */
const recentLimit = 1_000;
/** A note outlives every job that it could be for. */
const noteTtlSeconds = 86_400;
const states: Readonly<Record<string, JobState>> = { active: 'active', delayed: 'delayed', failed: 'failed' };

/** Jobs as everybody but the runner sees them: asked for, looked at, cancelled. All may throw `WarmingUnavailableError`. */
@Injectable()
export class WarmingJobs {
  readonly #logger = new Logger('Warming');

  constructor(
    private readonly queue: WarmingQueue,
    private readonly events: CacheEvents,
  ) {}

  /** Puts a job into the queue, unless one for the same is in it already: then that one is meant. */
  enqueue(wanted: WarmingRequest): Promise<WarmingJobView> {
    const request = normalised(wanted);
    const debounce = { id: digest(request) };
    return this.queue.call(async (bull) => {
      const added = await bull.add(warmName, { request }, { debounce });
      let job: WarmingJob | null = await bull.getJob(added.id);
      if (!job) {
        // The job was removed by hand, and what stood for it was left behind.
        await bull.client.del(debounceKey(bull, debounce.id));
        job = await bull.add(warmName, { request }, { debounce });
      }
      return viewOf(job);
    });
  }

  find(id: string): Promise<WarmingJobView | undefined> {
    return this.queue.call(async (bull) => {
      const job = await jobOf(bull, id);
      return job && viewOf(job);
    });
  }

  /** A waiting job is removed, an active one ends behind its batch. @returns whether there is such a job */
  cancel(id: string): Promise<boolean> {
    return this.queue.call(async (bull) => {
      const job = await jobOf(bull, id);
      if (!job) return false;
      const { state, request } = await viewOf(job);
      if (state === 'completed' || state === 'failed' || state === 'cancelled') return true;
      // Whoever asks for the same from now on wants a new job.
      await bull.client.del(debounceKey(bull, digest(request)));
      await bull.client.set(noteKey(bull, id), '1', 'EX', noteTtlSeconds);
      if (state !== 'active') await this.#remove(job);
      return true;
    });
  }

  /** Whether somebody wants the job to end. */
  async isCancelled(bull: WarmingBull, job: WarmingJob): Promise<boolean> {
    return (await bull.client.exists(noteKey(bull, String(job.id)))) === 1;
  }

  /** Fails where a node has just begun it: that one reads the note. */
  async #remove(job: WarmingJob): Promise<void> {
    try {
      await job.remove();
      this.events.emit({ type: 'warmed', result: 'cancelled' });
    } catch (error) {
      this.#logger.debug(`job ${job.id} cannot be removed: ${(error as Error).message}`);
    }
  }
}

/** The same wishes in the same words. */
function normalised({ entity, strategy, limit, ids }: WarmingRequest): WarmingRequest {
  const bound = limit ?? (strategy === 'recent' ? recentLimit : undefined);
  return {
    entity,
    strategy,
    ...(bound !== undefined && { limit: bound }),
    ...(ids && { ids: [...new Set(ids)].sort((a, b) => (a < b ? -1 : 1)) }),
  };
}

const digest = (request: WarmingRequest): string => createHash('sha256').update(JSON.stringify(request)).digest('hex');
const debounceKey = (bull: WarmingBull, id: string): string => bull.toKey(`de:${id}`);
const noteKey = (bull: WarmingBull, id: string): string => bull.toKey(`cancel:${id}`);

/** Bull's other keys look like jobs' keys; only a number can be a job. */
async function jobOf(bull: WarmingBull, id: string): Promise<WarmingJob | undefined> {
  return /^[1-9]\d{0,15}$/.test(id) ? ((await bull.getJob(id)) ?? undefined) : undefined;
}

async function viewOf(job: WarmingJob): Promise<WarmingJobView> {
  const found = await job.getState();
  const result = job.returnvalue as WarmingResult | null | undefined;
  const state = found === 'completed' ? (result?.cancelled ? 'cancelled' : 'completed') : (states[found] ?? 'waiting');
  const { request, position } = job.data;
  return {
    id: String(job.id),
    state,
    progress: Number(job.progress()),
    request,
    attempts: job.attemptsMade,
    ...(state === 'failed' && { error: job.failedReason ?? 'unknown' }),
    ...position?.tally,
    createdAt: new Date(job.timestamp).toISOString(),
    ...(job.processedOn !== undefined && { startedAt: new Date(job.processedOn).toISOString() }),
    ...(job.finishedOn && { finishedAt: new Date(job.finishedOn).toISOString() }),
  };
}
