import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type HealthState, HealthSources } from '../../../http/index.js';
import { CacheEvents } from '../../events.js';

interface OpenWriter {
  readonly xid: string;
  /** Undefined for a prepared transaction. */
  readonly pid: number | undefined;
  readonly seconds: number;
}

const stillOpen = `
  SELECT xid::text AS xid, pid, coalesce(extract(epoch FROM clock_timestamp() - xact_start), 0)::float8 AS seconds
    FROM pg_snapshot_xip(pg_current_snapshot()) AS xid LEFT JOIN pg_stat_activity ON backend_xid = xid::xid
   WHERE xid::text = ANY($1) ORDER BY xid`;

/**
 * The writers that were running when the generation began. What is read while one of them runs is answered and not kept,
 * so a writer that does not end costs every hit: health and metrics report it.
 */
@Injectable()
export class EarlierWriters {
  #xids: readonly string[] = [];

  constructor(
    private readonly dataSource: DataSource,
    health: HealthSources,
    events: CacheEvents,
  ) {
    events.on('generation', ({ writers }) => (this.#xids = writers));
    health.add({ name: 'generation', state: () => this.#health() });
  }

  /** Those that have not ended. PostgreSQL is asked only while there may be any. */
  async open(): Promise<readonly OpenWriter[]> {
    const asked = this.#xids;
    if (asked.length === 0) return [];
    const open = await this.dataSource.query<OpenWriter[]>(stillOpen, [asked]);
    if (this.#xids === asked) this.#xids = open.map(({ xid }) => xid);
    return open;
  }

  async #health(): Promise<HealthState> {
    const [oldest] = await this.open();
    if (!oldest) return { status: 'up' };
    const { xid, pid, seconds } = oldest;
    const reason = `nothing that is read is kept before transaction ${xid} has ended`;
    return { status: 'degraded', reason, openSeconds: Math.round(seconds), ...(pid && { pid }) };
  }
}
