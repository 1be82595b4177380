import { Transaction } from '../memory-postgres.js';
import { type Database, type PolicyRow, type Session, type Wait } from './session.js';

interface Surroundings {
  readonly database: Database;
  /** Policies are switched while others write: then it matters when the statements about them are executed. */
  readonly switching: boolean;
  readonly leaseMs: number;
  readonly time: { wallMs(): number };
}

/** The SQL that the product sends as text. Anything else fails loudly. */
export async function interpret(
  session: Session,
  { database, switching, leaseMs, time }: Surroundings,
  sql: string,
  parameters: readonly unknown[],
): Promise<unknown> {
  const { postgres, policyLock } = database;
  const own = (): NonNullable<Session['transaction']> => session.transaction!;
  if (/^(START TRANSACTION|BEGIN)/.test(sql)) return session.begin();
  if (/^COMMIT/.test(sql)) return session.commit();
  if (/^ROLLBACK$/.test(sql)) return session.rollback();
  if (/^SAVEPOINT/.test(sql)) return session.run(sql, () => postgres.savepoint(own()), [], true);
  if (/^RELEASE SAVEPOINT/.test(sql)) return session.run(sql, () => postgres.release(own()), [], true);
  if (/^ROLLBACK TO SAVEPOINT/.test(sql)) return session.run(sql, () => postgres.rollbackTo(own()), [], true);
  const tableLock = /^LOCK TABLE cache_policy_lock IN (ROW SHARE|EXCLUSIVE) MODE/.exec(sql);
  if (tableLock) {
    const mode = tableLock[1] === 'EXCLUSIVE' ? 'exclusive' : 'shared';
    const lock: Wait = (granted) => policyLock.take(own(), mode, granted);
    return session.run(`policy lock, ${mode}`, () => [{}], [lock], !switching);
  }
  if (/INTO cache_nodes|DELETE FROM cache_nodes/.test(sql)) return session.run('this node', () => [], [], true);
  if (/AS longest$/.test(sql)) return session.run('the longest lease', () => [{ longest: leaseMs }], [], true);
  if (/cache_policies/.test(sql)) return policyRows(session, database, switching, sql, parameters);
  if (/pg_control_system/.test(sql))
    return session.run('the generation in force', () => [primary(database, time.wallMs(), parameters)], [], true);
  if (/UPDATE cache_generation/.test(sql))
    return session.run('name a generation', () => nameGeneration(database, time.wallMs(), parameters));
  if (/AS epoch/.test(sql)) {
    const writers = () => policyLock.holding('shared').flatMap(({ xid }) => (xid === undefined ? [] : [String(xid)]));
    return session.run('transaction ids', () => [{ writers: writers(), epoch: String(postgres.xid()) }]);
  }
  if (/AS ended/.test(sql)) {
    const ended = () => Number(postgres.snapshot(session.transaction).split(':')[0]) > Number(parameters[0]);
    return session.run('whether all before have ended', () => [{ ended: ended() }]);
  }
  const columns = [...sql.matchAll(/(pg_[\w]+\((?:pg_current_snapshot\(\))?\))::text\s+AS\s+(\w+)/gi)];
  if (columns.length === 0) throw new Error(`the simulated PostgreSQL does not know: ${sql}`);
  const deferred = /AS deferred/.test(sql) && { deferred: false };
  return session.run('transaction ids', () => {
    // As the statement begins: before it takes an id of its own.
    const snapshot = postgres.snapshot(session.transaction);
    const values = Object.fromEntries(columns.map(([, expression = '', name]) => [name, evaluate(expression)]));
    return [{ ...values, ...deferred, number: String(database.generation.number) }];

    function evaluate(expression: string): string {
      if (/^pg_current_xact_id\(\)/.test(expression)) return String(postgres.xid(session.transaction));
      if (/^pg_snapshot_xmin/.test(expression)) return snapshot.split(':')[0]!;
      if (/^pg_snapshot_xmax/.test(expression)) return snapshot.split(':')[1]!;
      if (/^pg_current_snapshot\(\)/.test(expression)) return snapshot;
      throw new Error(`the simulated PostgreSQL does not know: ${expression}`);
    }
  });
}

/** The policies' table: one row per entity, changed by one switch at a time. */
async function policyRows(
  session: Session,
  { policies, policyRow }: Database,
  switching: boolean,
  sql: string,
  parameters: readonly unknown[],
): Promise<unknown> {
  const [entity, policy = ''] = parameters as [entity: string, policy?: string];
  const put = (row: PolicyRow): PolicyRow => {
    const write = (): void => void policies.set(entity, row);
    if (session.transaction) session.transaction.onCommit.push(write);
    else write();
    return row;
  };
  if (/^\s*SELECT/.test(sql)) return session.run('SELECT policies', () => [...policies.values()], [], !switching);
  if (/^\s*INSERT/.test(sql)) {
    const fresh = { entity, policy, promised: policy, target: policy, configured: policy, revision: 1 };
    return session.run('policy row', () => [policies.get(entity) ?? put(fresh)]);
  }
  const [set = '', where = ''] = sql.split('WHERE');
  const changes = valuesIn(set, parameters);
  const seen = Object.entries(valuesIn(where, parameters));
  // The row stays locked until the transaction ends; a statement by itself is one.
  const transaction = session.transaction ?? new Transaction(session.name);
  const release = (): void => policyRow.release(transaction);
  const lock: Wait = (granted) =>
    policyRow.take(transaction, 'exclusive', () => (session.node.alive ? granted() : release()));
  const update = (): unknown => {
    const before = policies.get(entity);
    if (!session.transaction) release();
    if (!before || seen.some(([name, value]) => before[name] !== value)) return [[], 0];
    return [[put({ ...before, ...changes, revision: before.revision + 1 })], 1];
  };
  return session.run(`policy row: ${JSON.stringify(changes)}`, update, [lock]);
}

/** What columns are set to, or compared with. */
function valuesIn(sql: string, parameters: readonly unknown[]): Record<string, string | number> {
  const assignments = [...sql.matchAll(/(\w+) = \$(\d+)/g)];
  return Object.fromEntries(assignments.map(([, name = '', nth]) => [name, parameters[Number(nth) - 1] as string]));
}

/** A primary that never fails, and is asked for the generation $1. */
function primary({ generation }: Database, nowMs: number, [asked]: readonly unknown[]): object {
  const named = asked !== '' && asked === generation.name;
  if (named) generation.usedAtMs = nowMs;
  return {
    ...{ system: '1', timeline: '1', database: '1', started: '1', durable: true, lsn: 1, checkpoint: 1 },
    ...{ generation: generation.name, server: generation.server, number: String(generation.number) },
    ...{ confirmed: named, used: nowMs - generation.usedAtMs <= 1_500 },
  };
}

function nameGeneration({ generation }: Database, nowMs: number, parameters: readonly unknown[]): object[] {
  const [name, server, before, ended] = parameters as [string, string, string, boolean];
  if (generation.name !== before || !(ended || nowMs - generation.usedAtMs > 1_500)) return [];
  Object.assign(generation, { name, server, usedAtMs: nowMs, number: generation.number + 1 });
  return [{ number: String(generation.number) }];
}
