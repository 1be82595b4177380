import { Injectable, type OnModuleInit } from '@nestjs/common';
import {
  CacheCounters,
  EntityRules,
  Lease,
  LevelUnavailableError,
  MemoryLevel,
  Namespace,
  RedisConnection,
} from '../cache/index.js';
import { Settings } from '../config/index.js';
import { Journal, PolicyRegistry } from '../invalidation/index.js';
import { Siblings, workerName } from '../workers/index.js';
import { type CacheStatsView } from './dto/cache-stats.js';
import { totalStats } from './total.js';

/** Puts together what the parts of the cache say about themselves. */
@Injectable()
export class CacheStats implements OnModuleInit {
  constructor(
    private readonly settings: Settings,
    private readonly counters: CacheCounters,
    private readonly l1: MemoryLevel,
    private readonly lease: Lease,
    private readonly connection: RedisConnection,
    private readonly journal: Journal,
    private readonly rules: EntityRules,
    private readonly registry: PolicyRegistry,
    private readonly namespace: Namespace,
    private readonly siblings: Siblings,
  ) {}

  onModuleInit(): void {
    this.siblings.whenAsked('stats', () => Promise.resolve(JSON.stringify(this.read())));
  }

  /** Of all workers that serve this port, as far as they answer. */
  async total(): Promise<CacheStatsView> {
    const all = (await this.siblings.all('stats')).map((text) => JSON.parse(text) as CacheStatsView);
    return totalStats([all[0] ?? this.read(), ...all.slice(1)]);
  }

  /** Of this process. */
  read(): CacheStatsView {
    const { requests, invalidations, loads, loadSeconds, joined } = this.counters;
    const { cacheL1, cacheL1MaxBytes: maxBytes, cacheL2 } = this.settings;
    const { bytes, entries } = this.l1;
    return {
      workers: [workerName() ?? []].flat(),
      requests,
      loads: { count: loads, seconds: loadSeconds, joined },
      invalidations,
      l1: { enabled: cacheL1, bytes, maxBytes, entries, leaseValid: this.lease.valid },
      l2: {
        enabled: cacheL2,
        breaker: this.connection.state,
        generation: currentGeneration(this.connection) ?? null,
        namespace: this.namespace.name ?? null,
      },
      journal: { entries: this.journal.size },
      policies: Object.fromEntries(this.rules.all().map(({ entity }) => [entity, this.registry.policyOf(entity)])),
    };
  }
}

/** Undefined where there is none at the moment. */
export function currentGeneration(connection: RedisConnection): string | undefined {
  try {
    return connection.gen;
  } catch (error) {
    if (error instanceof LevelUnavailableError) return undefined;
    throw error;
  }
}
