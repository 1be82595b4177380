import { type DataSource, type EntityManager, type EntitySubscriberInterface, type QueryRunner } from 'typeorm';
import { type Row, SqlError } from '../memory-postgres.js';
import { Session, type Wait } from './session.js';
import { type SimulatedNode } from './node.js';
import { interpret } from './sql.js';
import { findOne, metadata, repositoryOf, type Thing } from './thing.js';

/** What the product uses of a TypeORM DataSource. */
export class SimulatedDataSource {
  readonly subscribers: EntitySubscriberInterface[] = [];
  readonly manager = new SimulatedManager(this);
  #lastSession = 0;

  /** Without a pool. */
  readonly driver = {};

  constructor(readonly node: SimulatedNode) {}

  get asDataSource(): DataSource {
    return this as unknown as DataSource;
  }

  getMetadata(): typeof metadata {
    return metadata;
  }

  createQueryRunner(): SimulatedRunner {
    const name = `${this.node.name}.${++this.#lastSession}`;
    const { database, steps } = this.node.world;
    return new SimulatedRunner(this, new Session(name, this.node, database, steps));
  }

  async query<T>(sql: string, parameters: unknown[] = []): Promise<T> {
    const runner = this.createQueryRunner();
    return runner.query<T>(sql, parameters).finally(() => runner.session.end());
  }

  transaction<T>(work: (manager: SimulatedManager) => Promise<T>): Promise<T> {
    return this.manager.transaction(work);
  }
}

type TransactionEvent = 'Start' | 'Commit' | 'Rollback';

/** TypeORM 1.1's PostgresQueryRunner: the events around BEGIN, COMMIT and ROLLBACK in its order, savepoints included. */
export class SimulatedRunner {
  readonly manager: SimulatedManager;
  isTransactionActive = false;
  #depth = 0;

  constructor(
    readonly dataSource: SimulatedDataSource,
    readonly session: Session,
  ) {
    this.manager = new SimulatedManager(dataSource, this);
    // What TypeORM waits for before it sends a statement matters at COMMIT only.
    session.onStatement = (query) => void (query === 'COMMIT' || this.#tell('beforeQuery', { query }));
  }

  async startTransaction(): Promise<void> {
    this.isTransactionActive = true;
    if (this.#depth === 0) await this.query('START TRANSACTION');
    else await this.query(`SAVEPOINT typeorm_${this.#depth}`);
    this.#depth += 1;
    await this.#broadcast('after', 'Start');
  }

  async commitTransaction(): Promise<void> {
    if (!this.isTransactionActive) throw new Error('Transaction is not started yet');
    await this.#broadcast('before', 'Commit');
    if (this.#depth > 1) await this.query(`RELEASE SAVEPOINT typeorm_${this.#depth - 1}`);
    else {
      await this.#tell('beforeQuery', { query: 'COMMIT' });
      await this.query('COMMIT');
      this.isTransactionActive = false;
    }
    this.#depth -= 1;
    await this.#broadcast('after', 'Commit');
  }

  async rollbackTransaction(): Promise<void> {
    if (!this.isTransactionActive) throw new Error('Transaction is not started yet');
    await this.#broadcast('before', 'Rollback');
    if (this.#depth > 1) await this.query(`ROLLBACK TO SAVEPOINT typeorm_${this.#depth - 1}`);
    else {
      await this.query('ROLLBACK');
      this.isTransactionActive = false;
    }
    this.#depth -= 1;
    await this.#broadcast('after', 'Rollback');
  }

  async query<T>(sql: string, parameters: unknown[] = []): Promise<T> {
    const results = await this.#send(sql, parameters);
    return results.at(-1) as T;
  }

  /** The driver's client, which answers the results of all statements. */
  connect(): Promise<object> {
    const query = async (text: string) => (await this.#send(text)).map((rows) => ({ rows }));
    return Promise.resolve({ query });
  }

  /** A text of one statement or of several. */
  async #send(text: string, parameters: unknown[] = []): Promise<unknown[]> {
    const results: unknown[] = [];
    for (const statement of text.split(';'))
      results.push(await interpret(this.session, this.dataSource.node.world, statement.trim(), parameters));
    return results;
  }

  release(): Promise<void> {
    this.session.end();
    return Promise.resolve();
  }

  /** All subscribers are called, then waited for together. */
  async entityEvent(name: keyof EntitySubscriberInterface, entity?: Row, databaseEntity?: Row): Promise<void> {
    await this.#tell(name, { metadata, entity, databaseEntity });
  }

  /** What subscribers are told of a statement that writes, before it is sent. */
  async statement(query: string, parameters: readonly unknown[]): Promise<void> {
    await this.#tell('beforeQuery', { query, parameters });
  }

  async #broadcast(when: 'before' | 'after', event: TransactionEvent): Promise<void> {
    await this.#tell(`${when}Transaction${event}`, {});
  }

  async #tell(name: keyof EntitySubscriberInterface, event: object): Promise<void> {
    const shared = { queryRunner: this as unknown as QueryRunner, manager: this.manager as unknown as EntityManager };
    const told = this.dataSource.subscribers.map((subscriber) =>
      (subscriber[name] as ((event: object) => unknown) | undefined)?.call(subscriber, { ...shared, ...event }),
    );
    await Promise.all(told);
  }
}

/** TypeORM's EntityManager: transactions, `save` and `remove` with the executor's order of events, reads, one bulk update. */
export class SimulatedManager {
  constructor(
    private readonly dataSource: SimulatedDataSource,
    private readonly runner?: SimulatedRunner,
  ) {}

  get queryRunner(): SimulatedRunner | undefined {
    return this.runner;
  }

  get asEntityManager(): EntityManager {
    return this as unknown as EntityManager;
  }

  get connection(): SimulatedDataSource {
    return this.dataSource;
  }

  async transaction<T>(work: (manager: SimulatedManager) => Promise<T>): Promise<T> {
    const runner = this.runner ?? this.dataSource.createQueryRunner();
    try {
      await runner.startTransaction();
      const result = await work(runner.manager);
      await runner.commitTransaction();
      return result;
    } catch (error) {
      await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    } finally {
      if (!this.runner) await runner.release();
    }
  }

  query<T>(sql: string, parameters: unknown[] = []): Promise<T> {
    return (this.runner ?? this.dataSource).query<T>(sql, parameters);
  }

  getRepository(): object {
    return repositoryOf(this.runner!.session, this.dataSource.node.world.database);
  }

  findOne(id: number, forUpdate: boolean): Promise<Thing | null> {
    const { session, postgres } = this.inside();
    return findOne(session, postgres, id, forUpdate);
  }

  /** INSERT, or UPDATE of the columns that differ from a row read before, without a lock. */
  async save(row: Row): Promise<void> {
    const runner = this.runner!;
    const { session, postgres } = this.inside();
    const own = session.transaction!;
    const lock: Wait = (granted) => postgres.lock(own, row.id, granted);
    const before = await this.findOne(row.id, false);
    if (!before) {
      await runner.statement('INSERT INTO "things" VALUES ($1, $2, $3)', [row.id, row.category, row.rev]);
      const insert = () => {
        if (postgres.row(row.id, own)) throw new SqlError('23505', 'duplicate key');
        postgres.write(own, row.id, row);
      };
      await session.run(`INSERT ${row.id} ${row.category} rev ${row.rev}`, insert, [lock]);
      return runner.entityEvent('afterInsert', row);
    }
    await runner.entityEvent('beforeUpdate', row, before);
    await runner.statement('UPDATE "things" SET "rev" = $1 WHERE "id" = $2', [row.rev, row.id]);
    const existing: Wait = (granted) => !postgres.row(row.id, own) || lock(granted);
    const changed = { rev: row.rev, ...(row.category === before.category ? {} : { category: row.category }) };
    const update = () => {
      const latest = postgres.row(row.id, own);
      if (latest && own.locked.has(row.id)) postgres.write(own, row.id, { ...latest, ...changed });
    };
    await session.run(`UPDATE ${row.id} ${row.category} rev ${row.rev}`, update, [existing]);
  }

  async remove(row: Row): Promise<void> {
    const runner = this.runner!;
    const { session, postgres } = this.inside();
    const own = session.transaction!;
    const before = (await this.findOne(row.id, false)) ?? undefined;
    await runner.entityEvent('beforeRemove', row, before);
    await runner.statement('DELETE FROM "things" WHERE "id" = $1', [row.id]);
    // A row that the statement does not see it does not wait for, be it inserted at this very moment.
    const existing: Wait = (granted) => !postgres.row(row.id, own) || postgres.lock(own, row.id, granted);
    const remove = (): void => {
      if (postgres.row(row.id, own) && own.locked.has(row.id)) postgres.write(own, row.id, null);
    };
    await session.run(`DELETE ${row.id}`, remove, [existing]);
  }

  /** `UPDATE … WHERE category = …`, as a query builder sends it: no event names its rows. */
  async bulkUpdate(category: string, change: (row: Row) => Row): Promise<void> {
    const runner = this.runner!;
    const { session, postgres } = this.inside();
    const own = session.transaction!;
    await runner.statement('UPDATE "things" SET "rev" = $1 WHERE "category" = $2', [0, category]);
    const matching = () => postgres.rows(own).filter((row) => row.category === category);
    const locks = [1, 2, 3].map(
      (id): Wait =>
        (granted) =>
          !matching().some((row) => row.id === id) || postgres.lock(own, id, granted),
    );
    const update = () => {
      for (const row of matching()) if (own.locked.has(row.id)) postgres.write(own, row.id, change(row));
    };
    await session.run(`UPDATE WHERE category = ${category}`, update, locks);
  }

  inside() {
    if (!this.runner?.session.transaction) throw new Error('the simulated workload writes inside transactions');
    return { session: this.runner.session, postgres: this.dataSource.node.world.database.postgres };
  }
}
