import { Injectable, Logger } from '@nestjs/common';
import { type PolicyName, Settings } from '../../config/index.js';
import { type LayerStatus } from '../api/cache-status.js';
import { Clock } from '../clock.js';
import { type Lifetime, lifetime } from '../core/freshness.js';
import { type Dependency, type Tag } from '../core/tags.js';
import { CacheEvents, type LevelName } from '../events.js';
import { type Address, type Entry, type ReadOptions, type ReadResult } from '../levels/level.js';
import { MemoryLevel } from '../levels/l1/memory-level.js';
import { RedisLevel } from '../levels/l2/redis-level.js';
import { type Loaded } from '../loaded.js';
import { policies, PolicySource } from '../policy.js';
import { rowTags } from '../rules.js';
import { currentCollector, type Part, uncollected } from './scope.js';
import { SingleFlight } from './single-flight.js';

interface Answer extends Part {
  readonly body: string;
}

type RowAddress = Extract<Address, { kind: 'row' }>;
type QueryAddress = Extract<Address, { kind: 'query' }>;
type Load = () => Promise<Loaded<unknown>>;

/**
 * The db layer: reads rows and query results through L1, L2 and the database, in this order. A level that cannot answer
 * is a miss; what the database said is always answered, and kept only where its snapshot proves that it may be.
 */
@Injectable()
export class ReadThrough {
  readonly #logger = new Logger('Cache');
  readonly #flights: SingleFlight<Answer>;

  constructor(
    private readonly settings: Settings,
    private readonly l1: MemoryLevel,
    private readonly l2: RedisLevel,
    private readonly policySource: PolicySource,
    private readonly clock: Clock,
    private readonly events: CacheEvents,
  ) {
    this.#flights = new SingleFlight(() => events.emit({ type: 'joined' }));
  }

  /** One row by its id. `null` is cached too: a row that is known to be absent. */
  row<T>(entity: string, id: string | number, load: () => Promise<Loaded<T | null>>): Promise<T | null> {
    return this.#read<T | null>(entity, rowAddress(entity, id), load);
  }

  /**
   * The result of a query.
   * @param key canonical text of the query, without the entity's name
   * @param tags what the result depends on, see `queryTags`
   */
  query<T>(entity: string, key: string, tags: readonly Tag[], load: () => Promise<Loaded<T>>): Promise<T> {
    return this.#read<T>(entity, queryAddress(entity, key, tags), load);
  }

  async #read<T>(entity: string, address: RowAddress | QueryAddress, load: Load): Promise<T> {
    const collector = currentCollector();
    collector?.watch(tagsOf(address));
    const policy = this.policySource.policyOf(entity);
    const staleMs = policies[policy].servesStale ? this.settings.cacheStaleMs : 0;
    const renew = collector?.renew ?? false;
    const known = renew ? undefined : this.#known(address, policy, staleMs);
    if (known) {
      collector?.collect(known);
      if (known.freshMs <= 0) this.#refresh(address, policy, load);
      return JSON.parse(known.body) as T;
    }
    // A forced renewal never joins a flight that could end in a hit.
    const { result, joined } = this.#flights.run(renew ? `renew ${address.key}` : address.key, (depart) =>
      uncollected(() => this.#fly(address, policy, { staleMs, renew }, load, depart)),
    );
    const answer = await result;
    collector?.collect(joined ? collapsed(answer) : answer);
    if (answer.freshMs <= 0 && answer.status.hit) this.#refresh(address, policy, load);
    return JSON.parse(answer.body) as T;
  }

  /** A hit that costs no command. */
  #known(address: Address, policy: PolicyName, staleMs: number): Answer | undefined {
    if (!this.settings.cacheDb || !policies[policy].sharesL1) return undefined;
    const entry = this.l1.find(address.key, staleMs);
    if (!entry) return undefined;
    this.#count('l1', entry.freshMs > 0 ? 'hit' : 'stale');
    return hit('l1', entry, policy);
  }

  async #fly(
    address: RowAddress | QueryAddress,
    policy: PolicyName,
    options: ReadOptions,
    load: Load,
    depart: () => void,
  ): Promise<Answer> {
    const known = options.renew ? undefined : this.#known(address, policy, options.staleMs ?? 0);
    if (known) return known;
    const placeholder = policies[policy].sharesL1 && this.settings.cacheDb ? this.l1.take(address) : undefined;
    if (!options.renew) this.#count('l1', placeholder ? 'miss' : 'bypass');
    try {
      depart();
      const found = await this.#readL2(address, options);
      if (found.outcome === 'hit') {
        if (placeholder) this.l1.fill(placeholder, found.entry);
        return hit('l2', found.entry, policy);
      }
      const startedMs = this.clock.monotonicMs();
      const { value, snapshot } = await load();
      const elapsedMs = this.clock.monotonicMs() - startedMs;
      this.events.emit({ type: 'load', seconds: elapsedMs / 1000 });
      const body = JSON.stringify(value);
      const life = this.#lifetime(elapsedMs);
      const dependencies =
        found.outcome === 'miss'
          ? await this.l2.fill(found.ticket, {
              body,
              snapshot,
              ...(this.settings.cacheDb ? life : { freshMs: 0, keepMs: 0 }),
            })
          : this.#unstamped(address, policy);
      if (found.outcome === 'miss' && !dependencies) this.#count('l2', 'refused');
      if (placeholder && dependencies) this.l1.fill(placeholder, { body, dependencies, ...life });
      return { body, dependencies, ...life, status: this.#forward(found, options, policy, dependencies !== undefined) };
    } finally {
      if (placeholder) this.l1.abandon(placeholder);
    }
  }

  async #readL2(address: RowAddress | QueryAddress, options: ReadOptions): Promise<ReadResult> {
    // With the db layer off nothing is kept, but the value still comes with the stamps that prove it.
    const found = this.settings.cacheDb
      ? await this.l2.read(address, options)
      : await this.l2.read({ kind: 'query', key: address.key, tags: tagsOf(address) }, { renew: true });
    this.#count('l2', found.outcome === 'hit' ? (found.entry.freshMs > 0 ? 'hit' : 'stale') : found.outcome);
    return found;
  }

  /** With L2 switched off there are no stamps; L1 alone may keep a value, by its placeholder, under the weaker policies. */
  #unstamped(address: RowAddress | QueryAddress, policy: PolicyName): readonly Dependency[] | undefined {
    if (this.settings.cacheL2 || !policies[policy].sharesL1) return undefined;
    return tagsOf(address).map((tag) => ({ tag, stamp: '' }));
  }

  #forward(found: ReadResult, { renew }: ReadOptions, policy: PolicyName, stored: boolean): LayerStatus {
    const shared = { hit: false, collapsed: false, policy } as const;
    if (!this.settings.cacheDb) return { ...shared, forward: 'bypass', stored: false, detail: 'disabled' };
    if (found.outcome === 'bypass') return { ...shared, forward: 'bypass', stored, detail: found.reason };
    return { ...shared, forward: renew ? 'request' : 'uri-miss', stored };
  }

  /** Stale-while-revalidate (RFC 5861): the value was answered, a fresh one is fetched behind it. */
  #refresh(address: RowAddress | QueryAddress, policy: PolicyName, load: Load): void {
    const { result, joined } = this.#flights.run(`renew ${address.key}`, (depart) =>
      uncollected(() => this.#fly(address, policy, { renew: true }, load, depart)),
    );
    if (!joined) result.catch((error: Error) => this.#logger.debug(`a refresh failed: ${error.message}`));
  }

  #lifetime(elapsedMs: number): Lifetime {
    const { cacheTtlMs, cacheTtlJitter, cacheStaleMs } = this.settings;
    const life = lifetime({ ttlMs: cacheTtlMs, jitter: cacheTtlJitter, staleMs: cacheStaleMs }, Math.random());
    return {
      freshMs: Math.max(1, Math.round(life.freshMs - elapsedMs)),
      keepMs: Math.max(1, Math.round(life.keepMs - elapsedMs)),
    };
  }

  #count(level: LevelName, result: 'hit' | 'stale' | 'miss' | 'bypass' | 'refused'): void {
    this.events.emit({ type: 'request', layer: 'db', level, result });
  }
}

/** Where a row is kept, at every level. */
export function rowAddress(entity: string, id: string | number): RowAddress {
  const { tag, coarse } = rowTags(entity, id);
  return { kind: 'row', key: `row ${tag}`, tag, coarse };
}

export function queryAddress(entity: string, key: string, tags: readonly Tag[]): QueryAddress {
  return { kind: 'query', key: `query ${entity} ${key}`, tags };
}

function tagsOf(address: RowAddress | QueryAddress): readonly Tag[] {
  return address.kind === 'row' ? [address.tag, address.coarse] : address.tags;
}

function hit(level: LevelName, { body, dependencies, freshMs, keepMs }: Entry, policy: PolicyName): Answer {
  return { body, dependencies, freshMs, keepMs, status: { hit: true, level, policy, ttlMs: freshMs } };
}

function collapsed(answer: Answer): Answer {
  return answer.status.hit ? answer : { ...answer, status: { ...answer.status, stored: false, collapsed: true } };
}
