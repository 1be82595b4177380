import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, EntityRules, MemoryLevel, RedisConnection, RedisTags, rowTags } from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { compare, isPolicyName, policies, type PolicyName, weakest } from '../../policies/index.js';
import { leaseWaitMs } from '../bus/lease-wait.js';
import { NodeLeases } from '../bus/node-leases.js';
import {
  EvictionPolicyError,
  NoRedisError,
  SupersededSwitchError,
  UnidentifiedServerError,
} from '../invalidation.errors.js';
import { PolicyRegistry, shortestPromiseMs } from './policy-registry.js';
import { type PolicyState, PolicyStore, writersPolicy } from './policy-store.js';

const drainPollMs = 10;
/** How often a switch that was left unfinished is taken up again, in ms. */
const resumeMs = 5_000;

/**
 * Switches an entity's policy at run time, without a moment in which either policy's promise is broken. Every step is a
 * change of a row in PostgreSQL that names the row as it was when the step was decided on: of two switches at once, the
 * later one wins, and whatever the earlier one had prepared comes to nothing. A switch that its node did not finish is
 * finished by another.
 *
 * *To strict*: writers first (the exclusive lock waits out those of the old policy) and with them every reader's rules;
 * then, when every transaction that began before has ended, what it may have left behind is made unservable (epoch and
 * a new coarse stamp); then every node has heard, or lost its lease; only then strict is promised. *To a weaker one*: the
 * weaker promise first, then its writers; from strict, once every node makes it. *To a stronger one*: writers, then what the
 * old ones left behind, then the promise.
 */
@Injectable()
export class PolicySwitch implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Invalidation');
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #lossy = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly settings: Settings,
    private readonly rules: EntityRules,
    private readonly store: PolicyStore,
    private readonly registry: PolicyRegistry,
    private readonly leases: NodeLeases,
    private readonly connection: RedisConnection,
    private readonly tags: RedisTags,
    private readonly l1: MemoryLevel,
    private readonly clock: Clock,
  ) {
    connection.demand(() => (this.registry.anyStrict ? this.#impediment() : undefined));
    connection.onOpen(() => this.#warnOfLoss());
  }

  /** A changed environment is a switch, too: the cache may hold what the policy before has left there. */
  async onApplicationBootstrap(): Promise<void> {
    for (const { entity } of this.rules.all()) {
      const configured = this.registry.configured(entity);
      const state = await this.#state(entity);
      const aims = [configured, state.target].filter(isPolicyName);
      if (aims.some((name) => policies[name].isCertain)) this.#assertCertaintyIsPossible();
      if (state.configured === configured) continue;
      this.#logger.log(`${entity} is configured ${configured}, no longer ${state.configured}`);
      await this.#aim(entity, { configured, target: configured });
    }
    await this.registry.reload();
    await this.#resume();
    this.#timer = setInterval(() => void this.#resume(), resumeMs).unref();
  }

  onApplicationShutdown(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /**
   * @throws {NoRedisError | EvictionPolicyError | UnidentifiedServerError} when strict has no Redis that it can rely on
   * @throws {SupersededSwitchError} when another switch of the entity began before this one had ended
   * @throws otherwise when a server cannot be asked; the switch goes on when it can
   */
  async to(entity: string, target: PolicyName): Promise<void> {
    if (policies[target].isCertain) {
      await this.connection.checkAnew();
      this.#assertCertaintyIsPossible();
    }
    await this.#aim(entity, { target });
    await this.#finish(entity, target);
  }

  /** Whatever is under way: from now on the entity goes here. */
  async #aim(entity: string, aim: Partial<Pick<PolicyState, 'target' | 'configured'>>): Promise<void> {
    for (let aimed = false; !aimed;) aimed = await this.store.change(await this.#state(entity), aim);
    await this.#tell();
  }

  async #resume(): Promise<void> {
    for (const state of await this.store.all().catch(() => [])) {
      if (this.#stopped || isSettled(state)) continue;
      await this.#finish(state.entity).catch((error: Error) =>
        this.#logger.warn(`${state.entity} cannot be switched to ${state.target} yet: ${error.message}`),
      );
    }
  }

  /** One switch at a time on this node. Two nodes may work on the same one: every step can be repeated. */
  #finish(entity: string, wanted?: PolicyName): Promise<void> {
    const run = this.#running.then(() => this.#advance(entity, wanted));
    this.#running = run.catch(() => undefined);
    return run;
  }

  async #advance(entity: string, wanted: PolicyName | undefined): Promise<void> {
    for (;;) {
      const state = await this.#state(entity);
      if (wanted && state.target !== wanted) throw new SupersededSwitchError(entity, wanted, state.target);
      // Another node may have made the last step.
      if (isSettled(state) || this.#stopped) return this.registry.reload();
      // Where a switch goes that only a newer build knows, that one brings it.
      if (!isPolicyName(state.target)) return;
      // Where the row has changed meanwhile, the next step is decided anew.
      if (await this.#step(state)) await this.#tell();
    }
  }

  /** @returns whether the step was made */
  async #step(state: PolicyState): Promise<boolean> {
    const { entity, policy, promised, target } = state;
    if (!isPolicyName(promised)) return this.store.change(state, { promised: weakest });
    if (compare(target, promised) < 0) return this.store.change(state, { promised: target });
    if (policy !== target) {
      if (policies[writersPolicy(policy)].isCertain) await this.#untilAllFollow(shortestPromiseMs);
      return this.store.changeWriters(state, target);
    }
    await this.#forgetWhatWasLeft(entity, target);
    if (policies[target].isCertain) await this.#untilAllFollow();
    return this.store.change(state, { promised: target });
  }

  async #forgetWhatWasLeft(entity: string, target: PolicyName): Promise<void> {
    if (!this.settings.redisUrl) return;
    const { coarse } = rowTags(entity, '');
    const xid = await this.store.freshXid();
    while (!(await this.store.hasEnded(xid))) await this.clock.sleep(drainPollMs);
    if (policies[target].isCertain) await this.tags.raiseEpoch(xid);
    await this.tags.invalidate([coarse]);
    this.l1.invalidate([coarse]);
  }

  /** Until every node has heard of the step before, or has lost its lease, and with it what it keeps and promises. */
  async #untilAllFollow(leastMs = 0): Promise<void> {
    await this.registry.announce();
    await this.clock.sleep(leaseWaitMs(Math.max(await this.leases.longestMs(), this.settings.cacheL1LeaseMs, leastMs)));
  }

  /** This node follows at once. The others are told as far as they can be, and ask when they connect. */
  async #tell(): Promise<void> {
    await this.registry.reload();
    await this.registry.announce().catch(() => undefined);
  }

  #state(entity: string): Promise<PolicyState> {
    return this.store.ensure(entity, this.registry.configured(entity));
  }

  #assertCertaintyIsPossible(): void {
    const error = this.settings.redisUrl ? this.#impediment() : new NoRedisError();
    if (error) throw error;
  }

  /** A fence that was evicted, or that an older data set does not have, could not refuse anything. */
  #impediment(): Error | undefined {
    const { evictionPolicy, identified } = this.connection;
    if (evictionPolicy.startsWith('allkeys')) return new EvictionPolicyError(evictionPolicy);
    return identified ? undefined : new UnidentifiedServerError();
  }

  /** Once, as long as it is so. */
  #warnOfLoss(): void {
    const lossy = this.registry.anyStrict && !this.connection.durable;
    if (lossy && !this.#lossy)
      this.#logger.warn(
        'strict under synchronous_commit=off: PostgreSQL may lose in a crash what readers have seen. ' +
          'The cache begins anew whenever it restarts; set synchronous_commit=on to rely on strict',
      );
    this.#lossy = lossy;
  }
}

const isSettled = ({ policy, promised, target }: PolicyState): boolean => policy === target && promised === target;
