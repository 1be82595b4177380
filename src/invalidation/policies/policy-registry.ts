import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { type QueryRunner } from 'typeorm';
import { Clock, EntityRules, isWithin, type Moment, PolicySource } from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { policies, type PolicyName, strictest, weakest } from '../../policies/index.js';
import { InvalidationBus } from '../bus/invalidation-bus.js';
import { asKnown, type PolicyState, PolicyStore } from './policy-store.js';

/** How often the policies are read again at least, in ms. */
const pollMs = 5_000;
/** How long a node promises `strict` unread where its lease is shorter, in ms: a moment's stall takes no promise back. */
export const shortestPromiseMs = 1_000;

/** What the writers of one transaction must do. */
export interface WritersRules {
  readonly policyOf: (entity: string) => PolicyName;
  /** How long they wait for a node that does not answer, in ms. */
  readonly longestLeaseMs: number;
}

/**
 * What this node knows of the policies: the rows in PostgreSQL as they were last read, one read after the other, so that
 * the latest answer is the newest. A row that goes back (a restored database) is followed like any other.
 *
 * A message on the bus carries no state. It says that there is something to read, and until it has been read readers keep
 * the rules of `strict`. The bus brings it in order with the invalidations, hence a node whose lease is valid has heard
 * it. Every node reads the policies several times a lease. Where it has not within one, it shares nothing without Redis, and
 * promises no `strict`. So one lease after a switch has announced its step, every node keeps its rules.
 */
@Injectable()
export class PolicyRegistry extends PolicySource implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Invalidation');
  #states: ReadonlyMap<string, PolicyState> = new Map();
  /** When the latest answered read was sent. */
  #readAt: Moment | undefined;
  /** Messages so far, and those that had come when that read was sent. */
  #heard = 0;
  #followed = 0;
  /** The read that is under way, and the one that begins when it has ended. */
  #reading: Promise<unknown> = Promise.resolve();
  #next: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly rules: EntityRules,
    private readonly store: PolicyStore,
    private readonly bus: InvalidationBus,
    private readonly clock: Clock,
  ) {
    super();
    bus.onTerm(() => this.reload());
    bus.onPolicies(() => {
      this.#heard += 1;
      this.#try();
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.reload();
    this.#timer = setInterval(() => this.#poll(), this.#pollMs).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  /** Nobody waits for longer than that for a node that promises `strict`: it does so only while it has read as much lately. */
  override policyOf(entity: string): PolicyName {
    const promised = this.#states.get(entity)?.promised ?? this.configured(entity);
    return policies[promised].isCertain && !this.#readWithin(this.#promiseMs) ? weakest : promised;
  }

  override rulesOf(entity: string): PolicyName {
    return this.#heard === this.#followed ? this.#rulesOf(entity) : strictest;
  }

  override sharesWithoutRedis(entity: string): boolean {
    return policies[this.rulesOf(entity)].sharesL1 && this.#readWithin(this.settings.cacheL1LeaseMs);
  }

  /** What writers do, as far as this node knows; a transaction asks {@link inTransaction}. */
  writersOf(entity: string): PolicyName {
    return this.#states.get(entity)?.policy ?? this.configured(entity);
  }

  /** What the writers of a transaction must do, certainly, until it ends. */
  async inTransaction(runner: QueryRunner): Promise<WritersRules> {
    const { policies: known, longestLeaseMs } = await this.store.underLock(runner);
    return {
      policyOf: (entity) => known.get(entity) ?? this.configured(entity),
      longestLeaseMs: Math.max(longestLeaseMs, this.settings.cacheL1LeaseMs),
    };
  }

  /** What the environment says. */
  configured(entity: string): PolicyName {
    return this.rules.named(entity)?.initialPolicy(this.settings) ?? this.settings.cachePolicy;
  }

  stateOf(entity: string): PolicyState | undefined {
    return this.#states.get(entity);
  }

  /** Some entity is under `strict`, or on its way there or away from it. */
  get anyStrict(): boolean {
    return this.rules.all().some(({ entity }) => policies[this.#rulesOf(entity)].isCertain);
  }

  /** Reads the policies in a statement that is sent after this call. @throws when the database cannot be asked */
  reload(): Promise<void> {
    this.#next ??= this.#reading.then(() => {
      this.#next = undefined;
      const read = this.#read();
      this.#reading = read.catch(() => undefined);
      return read;
    });
    return this.#next;
  }

  /** Makes every node that is on the bus read the policies again. @throws {LevelUnavailableError} */
  async announce(): Promise<void> {
    if (this.settings.redisUrl) await this.bus.announcePolicies();
  }

  #rulesOf(entity: string): PolicyName {
    const state = this.#states.get(entity);
    if (!state) return this.configured(entity);
    const { policy, promised, target } = state;
    return [policy, target].find((name) => policies[name].isCertain) ?? promised;
  }

  async #read(): Promise<void> {
    const sentAt = this.clock.now();
    const heard = this.#heard;
    const states = new Map((await this.store.all()).map((state) => [state.entity, asKnown(state)]));
    const before = this.#states;
    this.#states = states;
    this.#readAt = sentAt;
    this.#followed = heard;
    for (const { entity, promised } of states.values()) {
      const known = before.get(entity);
      if (known && known.promised !== promised)
        this.#logger.log(`${entity} is under ${promised} now: ${policies[promised].guarantee}`);
    }
  }

  #readWithin(ms: number): boolean {
    return this.#readAt !== undefined && isWithin(ms, this.#readAt, this.clock.now());
  }

  #poll(): void {
    if (this.#heard !== this.#followed || !this.#readWithin(this.#pollMs)) this.#try();
  }

  get #promiseMs(): number {
    return Math.max(this.settings.cacheL1LeaseMs, shortestPromiseMs);
  }

  get #pollMs(): number {
    return Math.min(this.settings.cacheL1LeaseMs / 4, pollMs);
  }

  /** Should it fail, the next poll tries again. */
  #try(): void {
    this.reload().catch((error: Error) => this.#logger.debug(`the policies cannot be read: ${error.message}`));
  }
}
