import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, EntityRules, MemoryLevel, RedisConnection, RedisTags, rowTags } from '../../cache/index.js';
import { type PolicyName, Settings } from '../../config/index.js';
import { leaseWaitMs } from '../bus/lease-wait.js';
import { EvictionPolicyError, UnidentifiedServerError } from '../invalidation.errors.js';
import { PolicyRegistry } from './policy-registry.js';
import { PolicyStore } from './policy-store.js';

const drainPollMs = 10;
/** How often a switch that was left unfinished is taken up again, in ms. */
const resumeMs = 5_000;

/**
 * Switches an entity's policy at run time, without a moment in which either policy's promise is broken. Every step is a
 * row in PostgreSQL, so a switch that its node did not finish is finished by another.
 *
 * *To strict*: writers first (the exclusive lock waits out those of the old policy) and with them every reader's rules;
 * then, when every transaction that began before has ended, what it may have left behind is made unservable (epoch and
 * a new coarse stamp); then every node has heard, or lost its lease; only then strict is promised. *From strict*: the weaker
 * promise first. Between the weaker ones: writers, then what the old ones left behind.
 */
@Injectable()
export class PolicySwitch implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Invalidation');
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly settings: Settings,
    private readonly rules: EntityRules,
    private readonly store: PolicyStore,
    private readonly registry: PolicyRegistry,
    private readonly connection: RedisConnection,
    private readonly tags: RedisTags,
    private readonly l1: MemoryLevel,
    private readonly clock: Clock,
  ) {
    connection.onOpen(() => this.#refuseStrict());
  }

  /** A changed environment is a switch, too: the cache may hold what the policy before has left there. */
  async onApplicationBootstrap(): Promise<void> {
    for (const { entity } of this.rules.all()) {
      const configured = this.registry.configured(entity);
      const state = await this.store.ensure(entity, configured);
      if (configured === 'strict' || state.target === 'strict') this.#assertStrictIsPossible();
      await this.registry.spread(state);
      if (state.configured === configured) continue;
      this.#logger.log(`${entity} is configured ${configured}, no longer ${state.configured}`);
      await this.registry.spread(await this.store.change(entity, { configured, target: configured }));
    }
    await this.#resume();
    this.#timer = setInterval(() => void this.#resume(), resumeMs).unref();
  }

  onApplicationShutdown(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** @throws {EvictionPolicyError | UnidentifiedServerError} when strict cannot rely on this Redis; otherwise when a server cannot be asked */
  async to(entity: string, target: PolicyName): Promise<void> {
    if (target === 'strict') this.#assertStrictIsPossible();
    await this.registry.spread(await this.store.change(entity, { target }));
    await this.#finish(entity);
  }

  async #resume(): Promise<void> {
    for (const { entity, policy, promised, target } of await this.store.all().catch(() => [])) {
      if (this.#stopped || (policy === target && promised === target)) continue;
      await this.#finish(entity).catch((error: Error) =>
        this.#logger.warn(`${entity} cannot be switched to ${target} yet: ${error.message}`),
      );
    }
  }

  /** One switch at a time on this node. Two nodes may work on the same one: every step can be repeated. */
  #finish(entity: string): Promise<void> {
    const run = this.#running.then(() => this.#advance(entity));
    this.#running = run.catch(() => undefined);
    return run;
  }

  async #advance(entity: string): Promise<void> {
    let state = await this.store.ensure(entity, this.registry.configured(entity));
    const { target } = state;
    if (target !== 'strict' && state.promised !== target && state.promised === 'strict') {
      state = await this.store.change(entity, { promised: target });
      await this.registry.spread(state);
    }
    if (state.policy === target && state.promised === target) return;
    if (state.policy !== target) {
      state = await this.store.changeWriters(entity, target);
      await this.registry.spread(state);
    }
    await this.#forgetWhatWasLeft(entity, target);
    await this.registry.spread(await this.store.change(entity, { promised: target }));
  }

  async #forgetWhatWasLeft(entity: string, target: PolicyName): Promise<void> {
    if (!this.settings.redisUrl) return;
    const { coarse } = rowTags(entity, '');
    const xid = await this.store.freshXid();
    while (!(await this.store.hasEnded(xid))) await this.clock.sleep(drainPollMs);
    if (target === 'strict') await this.tags.raiseEpoch(xid);
    await this.tags.invalidate([coarse]);
    this.l1.invalidate([coarse]);
    if (target === 'strict') await this.clock.sleep(leaseWaitMs(this.settings));
  }

  /** A fence that was evicted, or that an older data set does not have, could not refuse anything. */
  #assertStrictIsPossible(): void {
    const { evictionPolicy, identified } = this.connection;
    if (evictionPolicy.startsWith('allkeys')) throw new EvictionPolicyError(evictionPolicy);
    if (!identified) throw new UnidentifiedServerError();
  }

  #refuseStrict(): void {
    if (!this.registry.anyStrict) return;
    if (!this.connection.durable)
      this.#logger.warn(
        'strict under synchronous_commit=off: PostgreSQL may lose in a crash what readers have seen. ' +
          'The cache begins anew whenever it restarts; set synchronous_commit=on to rely on strict',
      );
    try {
      this.#assertStrictIsPossible();
    } catch (error) {
      const { message } = error as Error;
      this.#logger.error(message);
      queueMicrotask(() => this.connection.reset(message));
    }
  }
}
