import { Injectable } from '@nestjs/common';
import { Counter, Histogram } from 'prom-client';
import {
  CacheCounters,
  CacheEvents,
  EarlierWriters,
  invalidationSources,
  layers,
  Lease,
  levelNames,
  MemoryLevel,
  RedisConnection,
  requestResults,
} from '../cache/index.js';
import { Settings } from '../config/index.js';
import { ChangeFeed, Journal } from '../invalidation/index.js';
import { gauge, gauges, total } from './instruments.js';
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
    private readonly settings: Settings,
    private readonly counters: CacheCounters,
    private readonly l1: MemoryLevel,
    private readonly lease: Lease,
    private readonly connection: RedisConnection,
    private readonly journal: Journal,
    private readonly feed: ChangeFeed,
    private readonly earlierWriters: EarlierWriters,
    events: CacheEvents,
  ) {
    this.#countReads();
    this.#gaugeLevels();
    this.#gaugeParts();
    this.#observe(events);
    this.#observeInspection(events);
  }

  #countReads(): void {
    const { registry, counters } = this;
    const { requests, invalidations } = counters;
    total(registry, 'cache_requests_total', 'Reads, by layer, level and result', ['layer', 'level', 'result'], () =>
      layers.flatMap((layer) =>
        levelNames.flatMap((level) =>
          requestResults.map((result) => [{ layer, level, result }, requests[layer][level][result]] as const),
        ),
      ),
    );
    total(registry, 'cache_loads_joined_total', 'Reads that shared the load of another one', [], () => [
      [{}, counters.joined],
    ]);
    total(registry, 'cache_invalidations_total', 'Invalidations sent, by source', ['source'], () =>
      invalidationSources.map((source) => [{ source }, invalidations[source]] as const),
    );
  }

  #gaugeLevels(): void {
    const { registry, settings, l1, lease, connection, journal, feed } = this;
    gauge(registry, 'cache_l1_bytes', 'Bytes held by the in-process level', () => l1.bytes);
    gauge(registry, 'cache_l1_max_bytes', 'Limit of cache_l1_bytes', () => settings.cacheL1MaxBytes);
    gauge(registry, 'cache_l1_entries', 'Entries held by the in-process level', () => l1.entries);
    total(registry, 'cache_l1_evictions_total', 'Entries evicted from the in-process level for capacity', [], () => [
      [{}, l1.evictions],
    ]);
    gauge(registry, 'cache_lease_valid', '1 while the in-process level may serve', () => Number(lease.valid));
    gauge(registry, 'cache_journal_entries', 'Invalidations that Redis has not received yet', () => journal.size);
    const earlier =
      'Writing transactions still open from before the current generation: until they end, no load is kept';
    gauges(registry, 'cache_earlier_writers', earlier, [], () =>
      this.earlierWriters.open().then(
        ({ length }) => [[{}, length]],
        () => [],
      ),
    );
    const breaker = 'Circuit breaker of a level: 0 closed, 1 half-open, 2 open';
    gauges(registry, 'cache_breaker_state', breaker, ['level'], () => [
      [{ level: 'l2' }, breakerStates[connection.state]],
    ]);
    // Only the node that reads the feed knows; where no node has a sample, a rule sees that it is absent.
    const lag = 'Delay of the change feed, in seconds; only on the node that reads it';
    gauge(registry, 'cache_feed_lag_seconds', lag, () => feed.lagSeconds);
  }

  /** What is switched off on purpose is no reason for an alert. */
  #gaugeParts(): void {
    const { cacheApi, cacheDb, cacheL1, cacheL2, cacheFeed } = this.settings;
    const parts = { api: cacheApi, db: cacheDb, l1: cacheL1, l2: cacheL2, feed: cacheFeed && cacheL2 };
    gauges(this.registry, 'cache_part_enabled', '1 if this part of the cache is switched on', ['part'], () =>
      Object.entries(parts).map(([part, on]) => [{ part }, Number(on)]),
    );
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
      help: 'Time from sending an invalidation until the in-process level of this node has dropped the entries',
      buckets: loadBuckets,
      registers,
    });
    events.on('dropped', ({ seconds }) => invalidation.observe(seconds));
    const warmed = new Counter({
      name: 'warming_jobs_total',
      help: 'Finished warming jobs, by result',
      labelNames: ['result'],
      registers,
    });
    for (const result of warmingResults) warmed.inc({ result }, 0);
    events.on('warmed', ({ result }) => warmed.inc({ result }));
  }

  #observeInspection(events: CacheEvents): void {
    const registers = [this.registry];
    const staleness = new Histogram({
      name: 'cache_staleness_seconds',
      help: 'Age of outdated values that the inspector found; 0 if the value was current',
      buckets: stalenessBuckets,
      registers,
    });
    const inconsistent = new Counter({
      name: 'cache_inconsistent_total',
      help: 'Entries that the inspector found older than their policy allows',
      labelNames: ['layer'],
      registers,
    });
    for (const layer of layers) inconsistent.inc({ layer }, 0);
    events.on('inspected', ({ layer, staleSeconds, broken }) => {
      if (staleSeconds !== undefined) staleness.observe(staleSeconds);
      if (broken) inconsistent.inc({ layer });
    });
  }
}
