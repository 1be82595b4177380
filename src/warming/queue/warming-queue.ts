import { getQueueToken } from '@nestjs/bull';
import { Inject, Injectable, type OnModuleDestroy, Optional } from '@nestjs/common';
import { type Queue } from 'bull';
import { Settings } from '../../config/index.js';
import { Lifecycle } from '../../http/index.js';
import { type WarmingData } from '../job.js';
import { WarmingUnavailableError } from '../warming.errors.js';
import { QueueConnections } from './queue-connections.js';
import { queueName } from './queue-options.js';

/** Longest time that one question to the queue takes, all its commands together. */
const callTimeoutMs = 1_000;

export type WarmingBull = Queue<WarmingData>;

/** The Bull queue where there is a Redis, and the same refusals where there is none or where it does not answer. */
@Injectable()
export class WarmingQueue implements OnModuleDestroy {
  #closed: Promise<void> | undefined;

  constructor(
    private readonly settings: Settings,
    lifecycle: Lifecycle,
    @Optional() @Inject(getQueueToken(queueName)) readonly bull?: WarmingBull,
    @Optional() private readonly connections?: QueueConnections,
  ) {
    if (!bull) return;
    const nothing = () => Promise.resolve();
    // Nest would close the queue without a deadline. Bull would name the connection without minding whether it is there, and
    // subscribe, once and for all, to news of delayed jobs, which its guard looks for anyway.
    Object.assign(bull, { onApplicationShutdown: () => undefined, setWorkerName: nothing, _registerEvent: nothing });
    lifecycle.draining.addEventListener('abort', () => void this.close(), { once: true });
  }

  /** Whether the queue can be asked right now. */
  get available(): boolean {
    return this.connections?.ready ?? false;
  }

  /** Whether this node gives its job back. */
  get closing(): boolean {
    return this.#closed !== undefined;
  }

  onAvailable(listener: () => void): void {
    this.connections?.onReady(listener);
  }

  /**
   * Asks the queue.
   * @throws {WarmingUnavailableError} at once or after a second at most; what was sent may still take effect then
   */
  async call<T>(question: (bull: WarmingBull) => Promise<T>): Promise<T> {
    const { bull } = this;
    if (!bull) throw new WarmingUnavailableError('There is no warming queue: no Redis is configured.');
    if (!this.available) throw new WarmingUnavailableError('The warming queue is not available.');
    try {
      return await within(callTimeoutMs, question(bull));
    } catch (error) {
      if (error instanceof TypeError) throw error;
      throw new WarmingUnavailableError('The warming queue does not answer.', { cause: error });
    }
  }

  /** Takes no more jobs, and waits until the active one has gone back or the drain timeout has passed. */
  close(): Promise<void> {
    const { bull } = this;
    if (!bull) return Promise.resolve();
    this.#closed ??= this.#close(bull);
    return this.#closed;
  }

  async onModuleDestroy(): Promise<void> {
    await this.close();
    this.connections?.end();
  }

  async #close(bull: WarmingBull): Promise<void> {
    const closed = bull.close();
    this.connections?.stopWaiting();
    await within(this.settings.drainTimeoutMs, closed).catch(() => undefined);
  }
}

function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
