import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import { parseSnapshot, type Snapshot } from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { codeOf, DatabaseClient, OwnConnection } from '../../database/index.js';
import { FeedRefusedError } from '../invalidation.errors.js';
import { messagePrefix } from './change-stream.js';
import { FeedTables } from './feed-tables.js';
import { type Lsn } from './lsn.js';

/** Made by a migration; tables of further entities are added to it by theirs. */
export const publication = 'strata_feed';

/** PostgreSQL waits for running transactions before a slot is there. In ms. */
const creationTimeoutMs = 60_000;
const connectTimeoutMs = 5_000;

const alreadyThere = '42710';
const cancelled = '57014';
const openOnes = 'see xact_start in pg_stat_activity, and pg_prepared_xacts';

/** A table of a cached entity whose changes the feed does not tell of, and the statement that mends it. */
export interface Gap {
  readonly table: string;
  readonly remedy: string;
}

/** $1: the publication; $2, $3: paths of tables, plain and quoted. No row where there is no publication. */
const gapsSql = `
  WITH listed AS (
    SELECT to_regclass(format('%I.%I', schemaname, tablename)) AS oid FROM pg_publication_tables WHERE pubname = $1
  ), tables AS (
    SELECT path, EXISTS (SELECT FROM listed WHERE oid = to_regclass(quoted)) AS published,
           EXISTS (SELECT FROM listed, pg_partition_ancestors(oid) AS above WHERE above = to_regclass(quoted)) AS in_parts
      FROM unnest($2::text[], $3::text[]) AS tables (path, quoted)
  ), remedies AS (
    SELECT path,
           CASE WHEN NOT (pubinsert AND pubupdate AND pubdelete AND pubtruncate)
                  THEN format('ALTER PUBLICATION %I SET (publish = %L)', pubname, 'insert, update, delete, truncate')
                WHEN published THEN NULL
                WHEN in_parts THEN format('ALTER PUBLICATION %I SET (publish_via_partition_root = true)', pubname)
                ELSE format('ALTER PUBLICATION %I ADD TABLE %s', pubname, path) END AS remedy
      FROM tables, pg_publication WHERE pubname = $1
  )
  SELECT coalesce(
           (SELECT json_agg(json_build_object('table', path, 'remedy', remedy)) FROM remedies WHERE remedy IS NOT NULL),
           '[]') AS gaps
    FROM pg_publication WHERE pubname = $1`;

/** $1: the slot, $2: the publication. Whoever makes that anew under its name leaves a gap between the two. */
const identity = "SELECT $1 || ':' || oid FROM pg_publication WHERE pubname = $2";

const quoted = (path: string): string =>
  path
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');

/** `lost`: PostgreSQL has dropped log that nobody had read yet (`max_slot_wal_keep_size`). */
export type SlotState = 'absent' | 'lost' | 'taken' | 'free';

export interface SlotView {
  readonly state: SlotState;
  readonly name: string;
  readonly confirmed: Lsn;
  /** Whether the publication exists. */
  readonly published: boolean;
  /** Which server, and which of its databases. */
  readonly system: string;
  readonly database: string;
}

/**
 * PostgreSQL's side of the feed: the slot that keeps what has not been read, one per database, and the publication. Asked on
 * a connection of its own: the feed waits in no crowd, and adds to none.
 */
@Injectable()
export class FeedSlot {
  readonly #connection: OwnConnection;

  constructor(
    private readonly settings: Settings,
    dataSource: DataSource,
    private readonly tables: FeedTables,
  ) {
    this.#connection = new OwnConnection(dataSource, () => undefined);
  }

  close(): void {
    this.#connection.close();
  }

  async look(): Promise<SlotView> {
    const [row] = await this.#connection.query<SlotView>(
      `SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system, current_database() AS database,
              'strata_feed_' || d.oid AS name, coalesce(s.confirmed_flush_lsn::text, '0/0') AS confirmed,
              EXISTS (SELECT FROM pg_publication WHERE pubname = $1) AS published,
              CASE WHEN s.slot_name IS NULL THEN 'absent'
                   WHEN s.wal_status = 'lost' THEN 'lost'
                   WHEN s.active THEN 'taken'
                   ELSE 'free' END AS state
         FROM pg_database d LEFT JOIN pg_replication_slots s ON s.slot_name = 'strata_feed_' || d.oid
        WHERE d.datname = current_database()`,
      [publication],
    );
    return row!;
  }

  /** What the feed does not tell of. Undefined where there is no publication. */
  async gaps(): Promise<readonly Gap[] | undefined> {
    const paths = this.tables.all().map(({ path }) => path);
    const parameters = [publication, paths, paths.map(quoted)];
    const [row] = await this.#connection.query<{ gaps: Gap[] }>(gapsSql, parameters);
    return row?.gaps;
  }

  /**
   * Makes the slot, in the place of one that cannot be read; changes before this moment are in no feed. On the kind of
   * connection that will read it, by which nothing is kept for a feed that could never run.
   * @param signal gives up what waits for an open transaction
   */
  async create(seen: SlotView, signal: AbortSignal): Promise<void> {
    const { state, name } = seen;
    await this.coversNoMore();
    const make = async (client: pg.Client): Promise<void> => {
      if (state !== 'absent') await client.query(`DROP_REPLICATION_SLOT ${name}`);
      await client
        .query(`CREATE_REPLICATION_SLOT ${name} LOGICAL pgoutput NOEXPORT_SNAPSHOT`)
        .catch((error: unknown) => {
          if (codeOf(error) === cancelled)
            throw new Error(`the slot waits for a transaction that is open: ${openOnes}`);
          // Another node was faster.
          if (codeOf(error) !== alreadyThere) throw error;
        });
    };
    await this.#replicating(seen, make, signal);
  }

  /** Lets PostgreSQL keep no more of its log for the feed. */
  async drop(seen: SlotView): Promise<void> {
    await this.#replicating(seen, (client) => client.query(`DROP_REPLICATION_SLOT ${seen.name}`));
  }

  async #replicating(
    { system, database }: SlotView,
    work: (client: pg.Client) => Promise<unknown>,
    signal?: AbortSignal,
  ): Promise<void> {
    const { databaseUrl, databaseDirectUrl } = this.settings;
    // As pg's: one signature stands for all of its own for `query`.
    const client: pg.Client & Pick<DatabaseClient, 'giveUp'> = new DatabaseClient({
      connectionString: databaseDirectUrl ?? databaseUrl,
      application_name: 'strata feed',
      replication: 'database',
      connectionTimeoutMillis: connectTimeoutMs,
      deadlineMs: creationTimeoutMs,
    });
    const giveUp = (): void => client.giveUp();
    signal?.addEventListener('abort', giveUp);
    try {
      await client.connect();
      const [own] = (await client.query<{ systemid: string; dbname: string }>('IDENTIFY_SYSTEM')).rows;
      if (own?.systemid !== system || own.dbname !== database)
        throw new FeedRefusedError('DATABASE_DIRECT_URL leads to another database than DATABASE_URL');
      signal?.throwIfAborted();
      await work(client);
    } finally {
      signal?.removeEventListener('abort', giveUp);
      await client.end().catch(() => undefined);
    }
  }

  /** Whether whatever is cached is newer than the slot and the publication, so that the feed knows of every change since. */
  async covers({ name }: SlotView): Promise<boolean> {
    const sql = `SELECT 1 FROM cache_feed WHERE slot = (${identity})`;
    return (await this.#connection.query(sql, [name, publication])).length > 0;
  }

  async nowCovers({ name }: SlotView): Promise<void> {
    const sql = `INSERT INTO cache_feed (slot) ${identity} ON CONFLICT DO NOTHING`;
    await this.#connection.query(sql, [name, publication]);
  }

  async coversNoMore(): Promise<void> {
    await this.#connection.query('DELETE FROM cache_feed');
  }

  /** Writes a message into the log, behind everything that has committed. */
  async write(text: string): Promise<void> {
    // In a transaction: what stands alone is written out whenever the server finds time.
    await this.#connection.query('SELECT pg_logical_emit_message(true, $1, $2)', [messagePrefix, text]);
  }

  /** Which transactions a load sees that begins now. */
  async snapshot(): Promise<Snapshot> {
    const sql = 'SELECT pg_current_snapshot()::text AS text';
    const [row] = await this.#connection.query<{ text: string }>(sql);
    return parseSnapshot(row!.text);
  }
}
