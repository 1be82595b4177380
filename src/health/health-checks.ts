import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { DataSource } from 'typeorm';
import { Lease, MemoryLevel, RedisConnection, RedisFaults, type RedisPath } from '../cache/index.js';
import { Settings } from '../config/index.js';
import { type HealthSource, HealthSources, type HealthState, Lifecycle } from '../http/index.js';
import { Journal, PolicyRegistry } from '../invalidation/index.js';
import { late, Probe } from './probe.js';

/** Of one check: whoever asks has a deadline, too. */
const timeoutMs = 800;

type Check = () => Promise<HealthIndicatorResult>;

/**
 * How the parts of this node are. The database is what it cannot do without; everything else that is away makes it
 * degraded: slower, but right. Details are public, so they name no host and repeat no error; reasons are of a closed set.
 */
@Injectable()
export class HealthChecks {
  readonly #database: Probe;
  readonly #redis: Probe;

  constructor(
    private readonly settings: Settings,
    private readonly indicators: HealthIndicatorService,
    private readonly lifecycle: Lifecycle,
    private readonly connection: RedisConnection,
    private readonly faults: RedisFaults,
    private readonly l1: MemoryLevel,
    private readonly lease: Lease,
    private readonly journal: Journal,
    private readonly registry: PolicyRegistry,
    private readonly sources: HealthSources,
    dataSource: DataSource,
  ) {
    this.#database = new Probe(() => dataSource.query('SELECT 1'), timeoutMs);
    this.#redis = new Probe(() => connection.command(connection.gen, (client) => client.ping()), timeoutMs);
  }

  /** @param vital whether the service counts as broken without it */
  database({ vital }: { readonly vital: boolean }): Check {
    return async () => {
      const indicator = this.indicators.check('database');
      if (await this.#database.answers()) return indicator.up();
      return vital ? indicator.down() : indicator.degraded();
    };
  }

  redis(): Check {
    return async () => {
      const indicator = this.indicators.check('redis');
      if (!this.settings.redisUrl) return indicator.degraded({ configured: false });
      return (await this.#redisAnswers()) ? indicator.up() : indicator.degraded(this.#reason('data'));
    };
  }

  /** Where this process is between boot and exit. */
  stage(): Check {
    const { state } = this.lifecycle;
    const indicator = this.indicators.check('lifecycle');
    return () => Promise.resolve(state === 'ready' ? indicator.up({ state }) : indicator.down({ state }));
  }

  /** The levels of the cache, and whatever other modules report. */
  parts(): Check[] {
    return [() => this.#l1State(), () => this.#l2State(), ...this.#sources().map((source) => () => this.#ask(source))];
  }

  #l1State(): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check('l1');
    if (!this.settings.cacheL1) return Promise.resolve(indicator.up({ enabled: false }));
    const { entries, bytes } = this.l1;
    const lease = this.lease.valid;
    const details = { enabled: true, lease, entries, bytes };
    return Promise.resolve(
      lease ? indicator.up(details) : indicator.degraded({ ...details, ...this.#reason('invalidation') }),
    );
  }

  #l2State(): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check('l2');
    if (!this.settings.cacheL2) return Promise.resolve(indicator.up({ enabled: false }));
    const breaker = this.connection.state;
    const lossy = !this.connection.durable && this.registry.anyStrict;
    const details = {
      enabled: true,
      breaker,
      journal: this.journal.size,
      ...(lossy && { reason: 'strict under synchronous_commit=off: a crash may lose what was read' }),
      ...this.#reason('data'),
    };
    return Promise.resolve(breaker === 'closed' && !lossy ? indicator.up(details) : indicator.degraded(details));
  }

  /** Jobs live in Redis: where nobody says more of the queue, it is as Redis is. */
  #sources(): readonly HealthSource[] {
    const all = this.sources.all();
    if (all.some(({ name }) => name === 'queue')) return all;
    const state = async (): Promise<HealthState> => {
      const reason = this.#reason('queue') ?? this.#reason('data');
      return !reason && (await this.#redisAnswers()) ? { status: 'up' } : { status: 'degraded', ...reason };
    };
    return [...all, { name: 'queue', state }];
  }

  async #ask(source: HealthSource): Promise<HealthIndicatorResult> {
    const { status, ...details } = await stateOf(source);
    const indicator = this.indicators.check(source.name);
    // Vital is only the database.
    return status === 'up' ? indicator.up(details) : indicator.degraded(details);
  }

  #reason(path: RedisPath): { readonly reason: string } | undefined {
    const reason = this.faults.of(path);
    return reason === undefined ? undefined : { reason };
  }

  #redisAnswers(): Promise<boolean> {
    return this.connection.state === 'closed' ? this.#redis.answers() : Promise.resolve(false);
  }
}

async function stateOf(source: HealthSource): Promise<HealthState> {
  const degraded: HealthState = { status: 'degraded' };
  const answered = new AbortController();
  try {
    return await Promise.race([Promise.resolve(source.state()), late(timeoutMs, degraded, answered.signal)]);
  } catch {
    return degraded;
  } finally {
    answered.abort();
  }
}
