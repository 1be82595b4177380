import { Injectable } from '@nestjs/common';
import { type CacheManagerStore } from 'cache-manager';
import { Settings } from '../../config/index.js';
import { valuesEntity } from '../core/tags.js';
import { InvalidationDelivery } from '../delivery.js';
import { rowAddress } from '../engine/addresses.js';
import { MemoryLevel } from '../levels/l1/memory-level.js';
import { RedisLevel } from '../levels/l2/redis-level.js';
import { RedisTags } from '../levels/l2/redis-tags.js';
import { rowTags } from '../rules.js';

/**
 * What CACHE_MANAGER stores in: the same two levels under a prefix of its own. `reset` gives the prefix a new generation
 * and touches nothing else. While Redis is away reads miss, and what is set is not kept; what was there before never comes
 * back: the change is the first thing that is sent when Redis is back.
 */
@Injectable()
export class ValueStore implements CacheManagerStore {
  readonly name = 'strata';

  constructor(
    private readonly settings: Settings,
    private readonly l1: MemoryLevel,
    private readonly l2: RedisLevel,
    private readonly tags: RedisTags,
    private readonly delivery: InvalidationDelivery,
  ) {}

  async get(key: string): Promise<unknown> {
    const address = rowAddress(valuesEntity, key);
    const known = this.l1.find(address.key, 0);
    if (known) return JSON.parse(known.body);
    const placeholder = this.l1.take(address);
    try {
      const found = await this.l2.read(address);
      if (found.outcome !== 'hit') return undefined;
      if (placeholder) this.l1.fill(placeholder, found.entry);
      return JSON.parse(found.entry.body);
    } finally {
      if (placeholder) this.l1.abandon(placeholder);
    }
  }

  mget(...keys: string[]): Promise<unknown[]> {
    return Promise.all(keys.map((key) => this.get(key)));
  }

  /**
   * A value that is too large for L2 is not kept, and no earlier one is left.
   * @param ttlMs `CACHE_TTL_MS` where there is none: nothing stays for ever
   */
  async set(key: string, value: unknown, ttlMs?: number): Promise<void> {
    const { tag, coarse } = rowTags(valuesEntity, key);
    const life = ttlMs || this.settings.cacheTtlMs;
    const body = JSON.stringify(value);
    if (!this.tags.fits(body)) return this.del(key);
    await this.delivery.deliver([tag], () => this.tags.put(tag, coarse, body, { freshMs: life, keepMs: life }));
  }

  async mset(data: Record<string, unknown>, ttlMs?: number): Promise<void> {
    await Promise.all(Object.entries(data).map(([key, value]) => this.set(key, value, ttlMs)));
  }

  del(key: string): Promise<void> {
    return this.mdel(key);
  }

  async mdel(...keys: string[]): Promise<void> {
    const tags = keys.map((key) => rowTags(valuesEntity, key).tag);
    await this.delivery.deliver(tags, () => this.tags.invalidate(tags));
  }

  /** What is left of a value's life, in ms. */
  async ttl(key: string): Promise<number> {
    const found = await this.l2.read(rowAddress(valuesEntity, key));
    return found.outcome === 'hit' ? found.entry.freshMs : -2;
  }

  /** Values cannot be listed: keys of a cache are for asking, not for finding. */
  keys(): Promise<string[]> {
    return Promise.resolve([]);
  }

  async reset(): Promise<void> {
    const { coarse } = rowTags(valuesEntity, '');
    await this.delivery.deliver([coarse], () => this.tags.invalidate([coarse]));
  }
}
