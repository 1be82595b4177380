import { Injectable } from '@nestjs/common';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { parseSnapshot, type Snapshot } from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { codeOf } from '../../database/index.js';
import { messagePrefix } from './change-stream.js';
import { FeedTables } from './feed-tables.js';
import { type Lsn } from './lsn.js';

/** Made by a migration; tables of further entities are added to it by theirs. */
export const publication = 'strata_feed';

/** PostgreSQL waits for running transactions before a slot is there. In ms. */
const creationTimeoutMs = 60_000;

const alreadyThere = '42710';

/** `lost`: PostgreSQL has dropped log that nobody had read yet (`max_slot_wal_keep_size`). */
export type SlotState = 'unsupported' | 'absent' | 'lost' | 'taken' | 'free';

export interface SlotView {
  readonly state: SlotState;
  readonly name: string;
  readonly confirmed: Lsn;
}

/** PostgreSQL's side of the feed: the slot that keeps what has not been read, one per database, and the publication. */
@Injectable()
export class FeedSlot {
  constructor(
    private readonly settings: Settings,
    private readonly dataSource: DataSource,
    private readonly tables: FeedTables,
  ) {}

  async look(): Promise<SlotView> {
    const [row] = await this.dataSource.query<[SlotView]>(
      `SELECT 'strata_feed_' || d.oid AS name, coalesce(s.confirmed_flush_lsn::text, '0/0') AS confirmed,
              CASE WHEN current_setting('wal_level') <> 'logical' THEN 'unsupported'
                   WHEN s.slot_name IS NULL THEN 'absent'
                   WHEN s.wal_status = 'lost' THEN 'lost'
                   WHEN s.active THEN 'taken'
                   ELSE 'free' END AS state
         FROM pg_database d LEFT JOIN pg_replication_slots s ON s.slot_name = 'strata_feed_' || d.oid
        WHERE d.datname = current_database()`,
    );
    return row;
  }

  /** Tables of cached entities whose changes are not published. */
  async unpublished(): Promise<readonly string[]> {
    const published = await this.dataSource.query<{ schemaname: string; tablename: string }[]>(
      'SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = $1',
      [publication],
    );
    const names = new Set(published.flatMap(({ schemaname, tablename }) => [tablename, `${schemaname}.${tablename}`]));
    return this.tables
      .all()
      .map(({ path }) => path)
      .filter((path) => !names.has(path));
  }

  /** Makes the slot, in the place of a lost one; changes before this moment are in no feed. */
  async create({ state, name }: SlotView): Promise<void> {
    // On a connection of its own: the pool's have a shorter deadline.
    const client = new pg.Client({
      connectionString: this.settings.databaseUrl,
      application_name: 'strata feed',
      statement_timeout: creationTimeoutMs,
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      await client.query('DELETE FROM cache_feed WHERE slot = $1', [name]);
      if (state === 'lost') await client.query('SELECT pg_drop_replication_slot($1)', [name]);
      await client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [name]);
    } catch (error) {
      // Another node was faster.
      if (codeOf(error) !== alreadyThere) throw error;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** Whether whatever is cached is newer than the slot, so that the feed knows of every change since. */
  async covers(name: string): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>('SELECT 1 FROM cache_feed WHERE slot = $1', [name]);
    return rows.length > 0;
  }

  async nowCovers(name: string): Promise<void> {
    await this.dataSource.query('INSERT INTO cache_feed (slot) VALUES ($1) ON CONFLICT DO NOTHING', [name]);
  }

  /** Writes a message into the log, behind everything that has committed. */
  async write(text: string): Promise<void> {
    // In a transaction: what stands alone is written out whenever the server finds time.
    await this.dataSource.query('SELECT pg_logical_emit_message(true, $1, $2)', [messagePrefix, text]);
  }

  /** Which transactions a load sees that begins now. */
  async snapshot(): Promise<Snapshot> {
    const sql = 'SELECT pg_current_snapshot()::text AS text';
    const [{ text }] = await this.dataSource.query<[{ text: string }]>(sql);
    return parseSnapshot(text);
  }
}
