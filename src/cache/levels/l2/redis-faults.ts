import { Injectable, Logger } from '@nestjs/common';
import { reasonOf } from './fault-reason.js';

/** What this process is connected to Redis for. */
export type RedisPath = 'data' | 'invalidation' | 'queue';

const words: Readonly<Record<RedisPath, { readonly lost: string; readonly found: string }>> = {
  data: { lost: 'Redis is not used', found: 'Redis is used again' },
  invalidation: { lost: 'invalidations are not heard', found: 'invalidations are heard again' },
  queue: { lost: 'the warming queue is not available', found: 'the warming queue is available again' },
};

/**
 * Why Redis cannot be used, by the connections of this process. The log has each reason once in an outage, whichever
 * connection met it, and `/health` has it as long as it lasts.
 */
@Injectable()
export class RedisFaults {
  readonly #logger = new Logger('Redis');
  readonly #reasons = new Map<RedisPath, string>();
  readonly #told = new Set<string>();

  of(path: RedisPath): string | undefined {
    return this.#reasons.get(path);
  }

  report(path: RedisPath, error: Error): void {
    const reason = reasonOf(error);
    this.#reasons.set(path, reason);
    // Without the data, nobody misses the rest.
    if (!this.#told.has(reason) && (path === 'data' || !this.#reasons.has('data'))) {
      this.#logger.warn(`${words[path].lost}: ${reason}`);
      this.#told.add(reason);
    }
    this.#logger.debug(`${words[path].lost}: ${error.message}`);
  }

  clear(path: RedisPath): void {
    if (!this.#reasons.delete(path)) return;
    this.#logger.log(words[path].found);
    if (this.#reasons.size === 0) this.#told.clear();
  }
}
