import {
  BadRequestException,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { EntityRules, MemoryLevel, PolicySource, RedisConnection, RedisTags, rowTags } from '../../cache/index.js';
import { type PolicyName, policyNames, Settings } from '../../config/index.js';
import { InvalidationBus } from '../bus/invalidation-bus.js';
import { policyLockId } from './policy-lock.js';

/** How often policies are read again where no message said so, in ms. */
const pollMs = 5_000;

interface PolicyRow {
  readonly entity: string;
  readonly policy: PolicyName;
}

/**
 * Which policy each entity is under. Rows in PostgreSQL are the truth: a writer reads its policy inside its transaction,
 * under a shared lock; a switch takes the lock exclusively, hence waits out every writer of the old policy.
 */
@Injectable()
export class PolicyRegistry extends PolicySource implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Invalidation');
  #known: ReadonlyMap<string, PolicyName> = new Map();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly rules: EntityRules,
    private readonly dataSource: DataSource,
    private readonly connection: RedisConnection,
    private readonly tags: RedisTags,
    private readonly l1: MemoryLevel,
    private readonly bus: InvalidationBus,
  ) {
    super();
    bus.onPolicies(() => void this.reload());
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.#load();
    this.#timer = setInterval(() => void this.reload(), pollMs).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  /** Switched policies have a row; every other entity is under the configured one. */
  override policyOf(entity: string, switched: ReadonlyMap<string, PolicyName> = this.#known): PolicyName {
    return switched.get(entity) ?? this.rules.named(entity)?.initialPolicy(this.settings) ?? this.settings.cachePolicy;
  }

  /** The switched policies as a writer's own transaction sees them, once it holds the shared lock. */
  async inTransaction(manager: EntityManager): Promise<ReadonlyMap<string, PolicyName>> {
    await manager.query('SELECT pg_advisory_xact_lock_shared($1)', [policyLockId]);
    return this.#select(manager);
  }

  /** Switches an entity, on every node. What the old policy may have left behind is made unservable. */
  async switch(entity: string, policy: PolicyName): Promise<void> {
    if (!policyNames.includes(policy)) throw new BadRequestException(`there is no policy ${String(policy)}`);
    await this.#exclusively(async (runner) => {
      await runner.query(
        `INSERT INTO cache_policies (entity, policy) VALUES ($1, $2)
         ON CONFLICT (entity) DO UPDATE SET policy = excluded.policy, updated_at = now()`,
        [entity, policy],
      );
    });
    const { coarse } = rowTags(entity, '');
    if (this.connection.state === 'closed') await this.tags.invalidate([coarse]);
    await this.#load();
    this.l1.invalidate([coarse]);
    await this.bus.announcePolicies();
    this.#logger.log(`${entity} is under ${policy} now`);
  }

  async reload(): Promise<void> {
    try {
      await this.#load();
    } catch (error) {
      this.#logger.warn(`the policies cannot be read: ${(error as Error).message}`);
    }
  }

  /** By hand: a transaction of TypeORM's would take the shared lock first, and two switches would wait for each other. */
  async #exclusively(work: (runner: QueryRunner) => Promise<void>): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    try {
      await runner.query('BEGIN');
      await runner.query('SELECT pg_advisory_xact_lock($1)', [policyLockId]);
      await work(runner);
      await runner.query('COMMIT');
    } catch (error) {
      await runner.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  }

  async #load(): Promise<void> {
    this.#known = await this.#select(this.dataSource.manager);
  }

  async #select(manager: EntityManager): Promise<ReadonlyMap<string, PolicyName>> {
    const rows = await manager.query<PolicyRow[]>('SELECT entity, policy FROM cache_policies');
    return new Map(rows.map(({ entity, policy }) => [entity, policy]));
  }
}
