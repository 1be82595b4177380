import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { policyLockId } from '../../cache/index.js';
import { type PolicyName } from '../../config/index.js';

/** Where an entity is. The three differ only while a switch is under way. */
export interface PolicyState {
  readonly entity: string;
  /** What its writers do. */
  readonly policy: PolicyName;
  /** What its readers can rely on. */
  readonly promised: PolicyName;
  /** Where a switch is going. */
  readonly target: PolicyName;
  /** What the environment said when it last had a say. */
  readonly configured: PolicyName;
  /** Counts the changes of the row: an older state never replaces a newer one. */
  readonly revision: number;
}

const columns = 'entity, policy, promised, target, configured, revision::float8 AS revision';
const lockAndRead = `
  SELECT pg_advisory_xact_lock_shared(${policyLockId});
  SELECT ${columns} FROM cache_policies`;

/** The rows of `cache_policies`: the truth, for all nodes. */
@Injectable()
export class PolicyStore {
  constructor(private readonly dataSource: DataSource) {}

  all(): Promise<PolicyState[]> {
    return this.dataSource.query<PolicyState[]>(`SELECT ${columns} FROM cache_policies`);
  }

  /**
   * What the writers of a transaction must do. The shared lock is taken first and kept until the transaction ends, so
   * that a switch waits for it; the policies are read in the next statement, so that they are not older than the lock.
   * Two statements in one message, each with a snapshot of its own (READ COMMITTED); TypeORM answers one result only, so
   * its driver's client is asked.
   */
  async underLock(runner: QueryRunner): Promise<readonly PolicyState[]> {
    const client = (await runner.connect()) as pg.ClientBase;
    const results = (await client.query(lockAndRead)) as unknown as readonly pg.QueryResult<PolicyState>[];
    return results.at(-1)?.rows ?? [];
  }

  /** The state of an entity; created with the configured policy where there is none. */
  async ensure(entity: string, configured: PolicyName): Promise<PolicyState> {
    const sql = `
      INSERT INTO cache_policies (entity, policy, promised, target, configured) VALUES ($1, $2, $2, $2, $2)
      ON CONFLICT (entity) DO UPDATE SET entity = excluded.entity RETURNING ${columns}`;
    const [state] = await this.dataSource.query<[PolicyState]>(sql, [entity, configured]);
    return state;
  }

  async change(
    entity: string,
    changes: Partial<Pick<PolicyState, 'promised' | 'target' | 'configured'>>,
  ): Promise<PolicyState> {
    const names = Object.keys(changes);
    return this.#update(this.dataSource.manager, entity, names, Object.values(changes));
  }

  /** Waits until every writer of the policy before has ended; whoever begins from now on sees the new one. */
  async changeWriters(entity: string, policy: PolicyName): Promise<PolicyState> {
    const runner = this.dataSource.createQueryRunner();
    try {
      // By hand: a transaction of TypeORM's would take the shared lock first, and two switches would wait for each other.
      await runner.query('BEGIN');
      await runner.query('SELECT pg_advisory_xact_lock($1)', [policyLockId]);
      const state = await this.#update(runner, entity, ['policy'], [policy]);
      await runner.query('COMMIT');
      return state;
    } catch (error) {
      await runner.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  }

  /** A transaction id that is later than every transaction that has begun so far. */
  async freshXid(): Promise<string> {
    const [{ xid }] = await this.dataSource.query<[{ xid: string }]>('SELECT pg_current_xact_id()::text AS xid');
    return xid;
  }

  /** Whether every transaction up to this id has ended. */
  async hasEnded(xid: string): Promise<boolean> {
    const [{ ended }] = await this.dataSource.query<[{ ended: boolean }]>(
      'SELECT pg_snapshot_xmin(pg_current_snapshot()) > $1::text::xid8 AS ended',
      [xid],
    );
    return ended;
  }

  async #update(
    by: EntityManager | QueryRunner,
    entity: string,
    names: readonly string[],
    values: readonly unknown[],
  ): Promise<PolicyState> {
    const assignments = names.map((name, i) => `${name} = $${i + 2}`).join(', ');
    const sql = `
      UPDATE cache_policies SET ${assignments}, revision = revision + 1, updated_at = now() WHERE entity = $1
      RETURNING ${columns}`;
    const [[state]] = (await by.query(sql, [entity, ...values])) as [[PolicyState], number];
    return state;
  }
}
