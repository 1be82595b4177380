import type pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DataSource } from 'typeorm';
import { OwnConnection, poolOf } from '../../../database/index.js';
import { type Clock, isWithin, type Moment } from '../../clock.js';
import { wideXid } from '../../core/wide-xid.js';

/** How long PostgreSQL's word on the generation in force counts, in ms: the same on every node. */
export const authorityLeaseMs = 1_000;
/** How often it is asked while values are served, in ms. */
export const authorityEveryMs = 250;
/** A generation that no node has confirmed for this long is used by none any more, in ms. */
const unusedMs = 1_500;
/** A use that is noted this late still leaves every lease shorter than `unusedMs`, in ms. */
const noteUseMs = 400;
/** How long a generation that is being looked for waits for PostgreSQL, in ms. */
const askMs = 800;

/**
 * A transaction of its own that ends at once, and the writers that run meanwhile: those that hold the policy lock (as `policy-store.ts`
 * takes it) and have an id. A transaction becomes visible before it releases its locks, so every snapshot from the end of this one on sees
 * those that are not listed. Not from `pg_current_snapshot()`: it lists no id above the last that has ended.
 */
const takeEpoch = `
  SELECT pg_current_xact_id()::text AS epoch, array(
           SELECT own.transactionid::text FROM pg_locks AS own JOIN pg_locks AS policy USING (virtualtransaction)
            WHERE own.locktype = 'transactionid' AND own.granted AND policy.locktype = 'relation' AND policy.granted
              AND policy.relation = 'cache_policy_lock'::regclass AND policy.mode = 'RowShareLock'
              AND policy.database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS writers`;

/** What tells one history of a database from another. */
export interface History {
  readonly system: string;
  readonly timeline: string;
  readonly database: string;
  /** When the postmaster started. */
  readonly started: string;
  /** How far the log was: no commit that anybody had seen then is behind it. In bytes. */
  readonly lsn: number;
  /** Whether a commit that others see survives a crash. */
  readonly durable: boolean;
}

/** What the primary says of itself and of the generation. */
export interface Primary extends History {
  /** The latest checkpoint: after a restart, no earlier than where the log ended. In bytes. */
  readonly checkpoint: number;
  readonly generation: string;
  /** Which Redis holds it. */
  readonly server: string;
  /** How many generations there have been. */
  readonly number: string;
  /** Whether the asking node's use of the generation is noted. */
  readonly confirmed: boolean;
  /** Whether some node may be using the generation. */
  readonly used: boolean;
  readonly askedAt: Moment;
  /** How many connections to it had been lost by then. */
  readonly lost: number;
}

const bytes = (lsn: string): string => `(${lsn} - '0/0')::float8`;
const history = `
         s.system_identifier::text AS system,
         substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS timeline,
         (SELECT oid::text FROM pg_database WHERE datname = current_database()) AS database,
         pg_postmaster_start_time()::text AS started,
         current_setting('synchronous_commit') <> 'off' AS durable`;

/** One row; a standby refuses it. With asynchronous commits, others see what the log has not been flushed to yet. */
const ask = `
  WITH noted AS (
    UPDATE cache_generation SET used_at = clock_timestamp()
     WHERE name = $1 AND $1 <> '' AND used_at < clock_timestamp() - interval '${noteUseMs} ms' RETURNING 1)
  SELECT ${history},
         CASE WHEN current_setting('synchronous_commit') = 'off' THEN ${bytes('pg_current_wal_insert_lsn()')}
              ELSE ${bytes('pg_current_wal_flush_lsn()')} END AS lsn,
         ${bytes('c.checkpoint_lsn')} AS checkpoint,
         g.name AS generation, g.server,
         (SELECT last_value::text FROM cache_generation_number) AS number,
         EXISTS (SELECT FROM noted)
           OR (g.name = $1 AND g.used_at >= clock_timestamp() - interval '${noteUseMs} ms') AS confirmed,
         g.used_at >= clock_timestamp() - interval '${unusedMs} ms' AS used
    FROM cache_generation g, pg_control_system() s, pg_control_checkpoint() c`;

/**
 * Names the generation: in the place of the one that the caller knows, if that one has certainly ended: it was on the same
 * Redis, where the claim has ended it ($4), or no node uses it any more.
 */
const name = `
  WITH named AS (
    UPDATE cache_generation SET name = $1, server = $2, used_at = clock_timestamp()
     WHERE name = $3 AND ($4 OR used_at < clock_timestamp() - interval '${unusedMs} ms') RETURNING 1)
  SELECT setval('cache_generation_number', (SELECT last_value + 1 FROM cache_generation_number))::text AS number FROM named`;

/** Whether nothing that anybody saw before has been lost since. */
export function follows(now: Primary, before: History): boolean {
  if (now.system !== before.system || now.timeline !== before.timeline || now.database !== before.database)
    return false;
  if (now.started === before.started) return now.lsn >= before.lsn;
  return now.durable && before.durable && now.checkpoint >= before.lsn;
}

/**
 * PostgreSQL as the authority on which generation is in force, and on its own history. Its word is a lease: what it has
 * confirmed counts for a second from when it was asked, and no longer than the connection that it was asked on.
 */
export class Authority {
  readonly #connection: OwnConnection;
  #lost = 0;
  #seen: History | undefined;
  #confirmedAt: Moment | undefined;
  #doubting: Promise<void> | undefined;

  /** @param doubt called when a connection of the pool reaches another server than the one that is known */
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly doubt: () => Promise<unknown>,
  ) {
    this.#connection = new OwnConnection(dataSource, () => this.#lose());
  }

  /** What was last accepted of the primary. */
  get seen(): History | undefined {
    return this.#seen;
  }

  /** Whether the generation is certainly in force: PostgreSQL has said so within its lease. */
  get valid(): boolean {
    return this.#confirmedAt !== undefined && isWithin(authorityLeaseMs, this.#confirmedAt, this.clock.now());
  }

  /** From now on, a connection of the pool is compared before it is used. */
  watchPool(): void {
    const pool = poolOf(this.dataSource);
    if (!pool) return;
    pool.options.verify = (client, done) => {
      this.#verify(client).then(() => done(), done);
    };
  }

  /** @throws where PostgreSQL cannot be asked, or is no primary */
  async ask(generation: string): Promise<Primary> {
    const asked = { askedAt: this.clock.now(), lost: this.#lost };
    const [primary] = await this.#connection.query<Omit<Primary, keyof typeof asked>>(ask, [generation]);
    if (!primary) throw new Error('cache_generation has no row');
    return { ...primary, ...asked };
  }

  /** The same, for those who cannot wait for long. Undefined where there is no answer. */
  async askSoon(generation: string): Promise<Primary | undefined> {
    return Promise.race([this.ask(generation), sleep(askMs, undefined)]);
  }

  /** Undefined where another generation has been named meanwhile, or the one before may still be used. */
  async name(generation: string, server: string, before: string, ended: boolean): Promise<string | undefined> {
    const [named] = await this.#connection.query<{ number: string }>(name, [generation, server, before, ended]);
    return named?.number;
  }

  /** Where a generation begins: an id of a transaction of its own that ends at once, and the writers that run meanwhile. */
  async epoch(): Promise<{ readonly epoch: string; readonly writers: readonly string[] }> {
    const [row] = await this.#connection.query<{ epoch: string; writers: string[] }>(takeEpoch);
    const { epoch, writers } = row!;
    return { epoch, writers: writers.map((xid) => String(wideXid(Number(xid), BigInt(epoch)))) };
  }

  accept(primary: Primary): void {
    this.#seen = primary.lost === this.#lost ? primary : doubted(primary);
  }

  /** The generation is in force, from when PostgreSQL was asked. */
  confirm({ confirmed, askedAt, lost }: Primary): void {
    if (confirmed && lost === this.#lost) this.#confirmedAt = askedAt;
  }

  end(): void {
    this.#confirmedAt = undefined;
  }

  close(): void {
    this.end();
    this.#connection.close();
  }

  /** An answer that was given before counts no more than if it were asked for now. */
  #lose(): void {
    this.#lost += 1;
    this.end();
    this.#seen &&= doubted(this.#seen);
  }

  /** On a new connection: the one before may lead to a primary that is none any more. */
  async #askAnew(): Promise<void> {
    this.#connection.close();
    this.end();
    await this.doubt();
  }

  async #verify(client: pg.ClientBase): Promise<void> {
    if (!this.#seen) return;
    const { rows } = await client.query<History>(`SELECT ${history} FROM pg_control_system() s`);
    const [found] = rows;
    if (!found || isSame(found, this.#seen)) return;
    await (this.#doubting ??= this.#askAnew().finally(() => (this.#doubting = undefined)));
    const primary = await this.askSoon('').catch(() => undefined);
    if (primary && !isSame(found, primary))
      throw Object.assign(new Error('the connection has reached another server'), { code: '08006' });
  }
}

/** A server that crashed may have lost what it had not flushed, and recovered without a new postmaster. */
const doubted = (history: History): History => (history.durable ? history : { ...history, started: '' });

const isSame = (a: History, b: History): boolean =>
  (['system', 'timeline', 'database', 'started'] as const).every((field) => a[field] === b[field]);
