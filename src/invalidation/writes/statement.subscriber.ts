import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import {
  type AfterQueryEvent,
  type BeforeQueryEvent,
  DataSource,
  type EntityManager,
  type EntitySubscriberInterface,
} from 'typeorm';
import { rowTags } from '../../cache/index.js';
import { isDatabaseUnavailable } from '../../database/index.js';
import { UnguardedWriteError } from '../invalidation.errors.js';
import { Invalidator } from '../invalidator.js';
import { identify } from '../policies/identify.js';
import { PolicyRegistry } from '../policies/policy-registry.js';
import { type OpenTransaction, OpenTransactions } from '../subscriber/open-transactions.js';
import { CachedTables, type StatementChange } from './cached-tables.js';
import { mayChange } from './sql-writes.js';

/**
 * Looks at every statement that goes through the service's data source. TypeORM's events name the rows that `save` and
 * `remove` change; whatever a statement changes besides (query builders, `clear()`, listeners switched off, raw SQL, rows
 * of foreign keys) changes its entity as a whole. So nothing depends on the events being complete.
 */
@Injectable()
export class StatementSubscriber implements EntitySubscriberInterface, OnModuleInit {
  readonly #logger = new Logger('Invalidation');

  constructor(
    private readonly dataSource: DataSource,
    private readonly tables: CachedTables,
    private readonly transactions: OpenTransactions,
    private readonly registry: PolicyRegistry,
    private readonly invalidator: Invalidator,
  ) {}

  onModuleInit(): void {
    this.dataSource.subscribers.push(this);
  }

  /** For reads it costs one look at the text. @throws {UnguardedWriteError} */
  beforeQuery({ query, parameters, queryRunner }: BeforeQueryEvent): Promise<void> | undefined {
    if (!mayChange(query)) return undefined;
    return this.tables.refresh(queryRunner).then(() => {
      const transaction = this.transactions.get(queryRunner);
      for (const change of this.tables.changedBy(query)) {
        if (transaction) note(transaction, change, parameters as readonly unknown[] | undefined);
        else this.#assertGuarded(change);
      }
    });
  }

  afterQuery({ query, queryRunner, success, error }: AfterQueryEvent): Promise<void> | undefined {
    if (!mayChange(query)) return undefined;
    this.tables.executed(query);
    // A statement that was refused has changed nothing; of one that was not answered nobody knows.
    if (this.transactions.get(queryRunner) || !(success || isDatabaseUnavailable(error))) return undefined;
    const entities = new Set(this.tables.changedBy(query).map(({ rule }) => rule.entity));
    const told = [...entities].filter((entity) => this.registry.writersOf(entity) !== 'ttl');
    return told.length === 0 ? undefined : this.#tell(told, (success ? queryRunner : this.dataSource).manager);
  }

  /** A statement has committed by itself: it cannot be made to look failed. Any id taken now is later than its own. */
  async #tell(entities: readonly string[], manager: EntityManager): Promise<void> {
    const tags = entities.map((entity) => rowTags(entity, '').coarse);
    try {
      await this.invalidator.committed(tags, [], await identify(manager));
    } catch (error) {
      this.#logger.error(`${entities.join(', ')}: changed, and not fenced: ${(error as Error).message}`);
    }
  }

  /** Strict fences before COMMIT, so it cannot allow a statement that commits by itself. */
  #assertGuarded({ rule: { entity } }: StatementChange): void {
    if (this.registry.writersOf(entity) === 'strict') throw new UnguardedWriteError(entity);
  }
}

function note({ frames }: OpenTransaction, change: StatementChange, parameters: readonly unknown[] = []): void {
  const { rule, rows, keys } = change;
  const frame = frames.at(-1);
  if (rows !== undefined) return frame?.expect(rule, rows);
  const known = (id: unknown): boolean =>
    [id, String(id)].some((spelt) => frames.some((outer) => outer.has(rule, spelt as string | number)));
  if (!keys?.every((number) => known(parameters[number - 1]))) frame?.changeUnknown(rule);
}
