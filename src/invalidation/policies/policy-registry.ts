import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { type QueryRunner } from 'typeorm';
import { EntityRules, PolicySource, policies } from '../../cache/index.js';
import { type PolicyName, Settings } from '../../config/index.js';
import { InvalidationBus } from '../bus/invalidation-bus.js';
import { type PolicyState, PolicyStore } from './policy-store.js';

/** How often the policies are read again where no message said so, in ms. */
const pollMs = 5_000;

/** What this node knows of the policies: from the rows in PostgreSQL, and from what other nodes say of them. */
@Injectable()
export class PolicyRegistry extends PolicySource implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Invalidation');
  readonly #states = new Map<string, PolicyState>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly rules: EntityRules,
    private readonly store: PolicyStore,
    private readonly bus: InvalidationBus,
  ) {
    super();
    bus.onTerm(() => this.reload());
    bus.onPolicies((text) => this.learn(JSON.parse(text) as PolicyState));
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.reload();
    this.#timer = setInterval(() => {
      this.reload().catch((error: Error) => this.#logger.warn(`the policies cannot be read: ${error.message}`));
    }, pollMs).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  override policyOf(entity: string): PolicyName {
    return this.#states.get(entity)?.promised ?? this.configured(entity);
  }

  override rulesOf(entity: string): PolicyName {
    const state = this.#states.get(entity);
    if (!state) return this.configured(entity);
    const { policy, promised, target } = state;
    return policy === 'strict' || target === 'strict' ? 'strict' : promised;
  }

  /** What writers do, as far as this node knows; a transaction asks {@link inTransaction}. */
  writersOf(entity: string): PolicyName {
    return this.#states.get(entity)?.policy ?? this.configured(entity);
  }

  /** What the writers of a transaction must do, certainly, until it ends. */
  async inTransaction(runner: QueryRunner): Promise<(entity: string) => PolicyName> {
    const known = new Map((await this.store.underLock(runner)).map(({ entity, policy }) => [entity, policy]));
    return (entity) => known.get(entity) ?? this.configured(entity);
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
    return this.rules.all().some(({ entity }) => this.rulesOf(entity) === 'strict');
  }

  learn(state: PolicyState): void {
    const known = this.#states.get(state.entity);
    if (known && known.revision >= state.revision) return;
    this.#states.set(state.entity, state);
    if (known && known.promised !== state.promised) {
      this.#logger.log(`${state.entity} is under ${state.promised} now: ${policies[state.promised].guarantee}`);
    }
  }

  async reload(): Promise<void> {
    for (const state of await this.store.all()) this.learn(state);
  }

  /** Learns a state here, and tells the other nodes as far as they can be told; they ask for it when they connect. */
  async spread(state: PolicyState): Promise<void> {
    this.learn(state);
    await this.bus.announcePolicies(JSON.stringify(state)).catch(() => undefined);
  }
}
