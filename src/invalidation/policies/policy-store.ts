import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { DataSource, type QueryRunner } from 'typeorm';
import { isPolicyName, type PolicyName, strictest, weakest } from '../../policies/index.js';
import { longestLease } from '../bus/node-leases.js';
import { behindWriters } from './policy-lock.js';

/** Where an entity is. The three differ only while a switch is under way. A newer build may know other policies. */
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
  /** Counts the changes of the row. */
  readonly revision: number;
}

/** What a writer reads under the lock. */
export interface LockedPolicies {
  readonly policies: ReadonlyMap<string, PolicyName>;
  /** The longest lease that a node may hold, in ms. */
  readonly longestLeaseMs: number;
}

/** What writers do whose policy only a newer build knows: the most, which is never too little. */
export const writersPolicy = (name: string): PolicyName => (isPolicyName(name) ? name : strictest);

/** Of a policy that only a newer build knows, readers keep the strictest rules and are promised the least. */
export const asKnown = (state: PolicyState): PolicyState => ({
  ...state,
  policy: writersPolicy(state.policy),
  promised: isPolicyName(state.promised) ? state.promised : weakest,
  target: writersPolicy(state.target),
});

type Changes = Partial<Pick<PolicyState, 'policy' | 'promised' | 'target' | 'configured'>>;

const columns = 'entity, policy, promised, target, configured, revision::float8 AS revision';
const lockAndRead = `
  LOCK TABLE cache_policy_lock IN ROW SHARE MODE;
  SELECT entity, policy, (${longestLease}) AS "longestLeaseMs" FROM cache_policies`;

/** The rows of `cache_policies`: the truth, for all nodes. */
@Injectable()
export class PolicyStore {
  constructor(private readonly dataSource: DataSource) {}

  all(): Promise<PolicyState[]> {
    return this.dataSource.query<PolicyState[]>(`SELECT ${columns} FROM cache_policies`);
  }

  /**
   * What the writers of a transaction must do. The lock is taken first and kept until the transaction ends, so that a
   * switch waits for it. It is taken before any row is locked, so that a switch can never wait in a circle with two writers.
   * LOCK TABLE takes no snapshot: where the whole transaction has one (REPEATABLE READ, SERIALIZABLE), it begins with the
   * SELECT, hence after the lock. Two statements in one message; TypeORM answers one result only, so its driver's client is
   * asked.
   * @see https://www.postgresql.org/docs/current/sql-lock.html
   */
  async underLock(runner: QueryRunner): Promise<LockedPolicies> {
    const client = (await runner.connect()) as pg.ClientBase;
    type Row = Pick<PolicyState, 'entity' | 'policy'> & { readonly longestLeaseMs: number };
    const results = (await client.query(lockAndRead)) as unknown as readonly pg.QueryResult<Row>[];
    const rows = results.at(-1)?.rows ?? [];
    const policies = new Map(rows.map(({ entity, policy }) => [entity, writersPolicy(policy)]));
    return { policies, longestLeaseMs: rows[0]?.longestLeaseMs ?? 0 };
  }

  /** The state of an entity; created with the configured policy where there is none. */
  async ensure(entity: string, configured: PolicyName): Promise<PolicyState> {
    const sql = `
      INSERT INTO cache_policies (entity, policy, promised, target, configured) VALUES ($1, $2, $2, $2, $2)
      ON CONFLICT (entity) DO UPDATE SET entity = excluded.entity RETURNING ${columns}`;
    const [state] = await this.dataSource.query<[PolicyState]>(sql, [entity, configured]);
    return state;
  }

  /**
   * Changes a row that still is as it was when the change was decided on.
   * @returns whether it was
   */
  change(from: PolicyState, changes: Changes): Promise<boolean> {
    return changeRow(this.dataSource, from, changes);
  }

  /** The same, once every writer of the policy before has ended; whoever begins from now on sees the new one. */
  changeWriters(from: PolicyState, policy: PolicyName): Promise<boolean> {
    return behindWriters(this.dataSource, (runner) => changeRow(runner, from, { policy }));
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
}

async function changeRow(
  by: Pick<QueryRunner | DataSource, 'query'>,
  from: PolicyState,
  changes: Changes,
): Promise<boolean> {
  const { entity, policy, promised, target, configured, revision } = from;
  const assignments = Object.keys(changes).map((name, i) => `${name} = $${i + 7}`);
  const sql = `
    UPDATE cache_policies SET ${assignments.join(', ')}, revision = revision + 1, updated_at = now()
     WHERE entity = $1 AND policy = $2 AND promised = $3 AND target = $4 AND configured = $5 AND revision = $6
    RETURNING entity`;
  const seen = [entity, policy, promised, target, configured, revision];
  const [changed] = (await by.query(sql, [...seen, ...Object.values(changes)])) as [unknown[], number];
  return changed.length > 0;
}
