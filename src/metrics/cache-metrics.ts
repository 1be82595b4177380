import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';
import {
  CacheCounters,
  CacheEvents,
  invalidationSources,
  layers,
  Lease,
  levelNames,
  MemoryLevel,
  RedisConnection,
  requestResults,
} from '../cache/index.js';
import { ChangeFeed, Journal } from '../invalidation/index.js';
import { AppRegistry } from './registry.js';

const loadBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const stalenessBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 600];
const warmingResults = ['completed', 'failed', 'cancelled'] as const;
const breakerStates = { closed: 0, 'half-open': 1, open: 2 } as const;

/**
 * The cache in numbers. What happens on every read is counted by {@link CacheCounters} and taken over when somebody asks;
 * levels are asked then, too; only what is rare is observed as it happens. Labels come from closed sets: never a key.
 */
@Injectable()
export class CacheMetrics {
  constructor(
    private readonly registry: AppRegistry,
    private readonly counters: CacheCounters,
    private readonly l1: MemoryLevel,
    private readonly lease: Lease,
    private readonly connection: RedisConnection,
    private readonly journal: Journal,
    private readonly feed: ChangeFeed,
    events: CacheEvents,
  ) {
    this.#countReads();
    this.#gaugeLevels();
    this.#observe(events);
    this.#announceInspection();
    this.#watchFeed();
  }

  #countReads(): void {
    const { requests, invalidations } = this.counters;
    this.#total('cache_requests_total', 'Reads, by layer, level and result', ['layer', 'level', 'result'], () =>
      layers.flatMap((layer) =>
        levelNames.flatMap((level) =>
          requestResults.map((result) => [{ layer, level, result }, requests[layer][level][result]] as const),
        ),
      ),
    );
    this.#total('cache_loads_joined_total', 'Reads that shared the load of another one', [], () => [
      [{}, this.counters.joined],
    ]);
    this.#total('cache_invalidations_total', 'Invalidations sent, by source', ['source'], () =>
      invalidationSources.map((source) => [{ source }, invalidations[source]] as const),
    );
  }

  #gaugeLevels(): void {
    this.#gauge('cache_l1_bytes', 'Bytes held by the in-process level', () => this.l1.bytes);
    this.#gauge('cache_l1_entries', 'Entries held by the in-process level', () => this.l1.entries);
    this.#gauge('cache_lease_valid', '1 while the in-process level may serve', () => Number(this.lease.valid));
    this.#gauge('cache_journal_entries', 'Invalidations that wait for Redis', () => this.journal.size);
    const { registry, connection } = this;
    new Gauge({
      name: 'cache_breaker_state',
      help: 'Circuit breaker of a level: 0 closed, 1 half-open, 2 open',
      labelNames: ['level'],
      registers: [registry],
      collect() {
        this.set({ level: 'l2' }, breakerStates[connection.state]);
      },
    });
  }

  #observe(events: CacheEvents): void {
    const registers = [this.registry];
    const load = new Histogram({
      name: 'cache_load_seconds',
      help: 'Time to load a value from the database',
      buckets: loadBuckets,
      registers,
    });
    events.on('load', ({ seconds }) => load.observe(seconds));
    const invalidation = new Histogram({
      name: 'cache_invalidation_seconds',
      help: 'Time from the commit of a write until the in-process level of this node has dropped it',
      buckets: loadBuckets,
      registers,
    });
    events.on('dropped', ({ seconds }) => invalidation.observe(seconds));
    const warmed = new Counter({
      name: 'warming_jobs_total',
      help: 'Warming jobs that have ended, by result',
      labelNames: ['result'],
      registers,
    });
    for (const result of warmingResults) warmed.inc({ result }, 0);
    events.on('warmed', ({ result }) => warmed.inc({ result }));
  }

  /** What the inspector will report: nothing has been inspected, so nothing was found. */
  #announceInspection(): void {
    const registers = [this.registry];
    new Histogram({
      name: 'cache_staleness_seconds',
      help: 'How old a served value was, as observed by the inspector',
      buckets: stalenessBuckets,
      registers,
    });
    const inconsistent = new Counter({
      name: 'cache_inconsistent_total',
      help: 'Entries that the inspector found to differ from the database',
      labelNames: ['layer'],
      registers,
    });
    for (const layer of layers) inconsistent.inc({ layer }, 0);
  }

  /** Only the node that reads the feed knows; where no node has a sample, a rule uses `absent()`. */
  #watchFeed(): void {
    const { feed } = this;
    new Gauge({
      name: 'cache_feed_lag_seconds',
      help: 'How far behind the database the cache may be for changes from elsewhere; only on the node that reads the feed',
      registers: [this.registry],
      collect() {
        const { lagSeconds } = feed;
        if (lagSeconds === undefined) this.remove();
        else this.set(lagSeconds);
      },
    });
  }

  /** A counter that is kept elsewhere. */
  #total<Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    read: () => readonly (readonly [Record<Label, string>, number])[],
  ): void {
    new Counter({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.inc(labels, value);
      },
    });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}
