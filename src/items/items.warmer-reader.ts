import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';

/** Where a walk through the items by time of change stands. */
export interface RecentKey {
  /** Text of the timestamp, as PostgreSQL prints it. */
  readonly changedAt: string;
  readonly id: number;
}

/** Up to here items are counted; a table without statistics that is larger is called so large. */
const countedRows = 1_000_000;

/** What the walks of a warming job ask the database: each question is answered from an index, one stretch at a time. */
@Injectable()
export class ItemsWarmerReader {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** Roughly how many items there are: as the planner estimates it, by the density that was found last. */
  async countItems(): Promise<number> {
    const [estimate] = await this.dataSource.query<[{ rows: number | null }]>(
      `SELECT CASE WHEN relpages > 0 AND reltuples >= 0
                THEN reltuples / relpages * (pg_relation_size(oid) / current_setting('block_size')::int) END AS rows
         FROM pg_class WHERE oid = 'items'::regclass`,
    );
    if (estimate.rows !== null) return Math.round(estimate.rows);
    const [counted] = await this.dataSource.query<[{ rows: number }]>(
      `SELECT count(*)::int AS rows FROM (SELECT 1 FROM items LIMIT ${countedRows}) i`,
    );
    return counted.rows;
  }

  /** The next ids in ascending order. */
  async idsAfter(id: number, limit: number): Promise<number[]> {
    const rows = await this.dataSource.query<{ id: number }[]>(
      'SELECT id FROM items WHERE id > $1 ORDER BY id LIMIT $2',
      [id, limit],
    );
    return rows.map((row) => row.id);
  }

  /** The items that were changed before, latest first. */
  async changedBefore(key: RecentKey | undefined, limit: number): Promise<RecentKey[]> {
    const before = key ? 'WHERE (updated_at, id) < ($2::timestamptz, $3::int)' : '';
    return this.dataSource.query<RecentKey[]>(
      `SELECT id, updated_at::text AS "changedAt" FROM items ${before} ORDER BY updated_at DESC, id DESC LIMIT $1`,
      [limit, ...(key ? [key.changedAt, key.id] : [])],
    );
  }

  /** The categories that follow, by code point. Hops from one to the next in the index instead of reading every row. */
  async categoriesAfter(category: string, limit: number): Promise<string[]> {
    const rows = await this.dataSource.query<{ category: string }[]>(
      `WITH RECURSIVE c AS (
         SELECT min(category) AS category, 1 AS n FROM items WHERE category > $1
         UNION ALL
         SELECT (SELECT min(i.category) FROM items i WHERE i.category > c.category), n + 1
           FROM c WHERE c.category IS NOT NULL AND n < $2
       ) SELECT category FROM c WHERE category IS NOT NULL`,
      [category, limit],
    );
    return rows.map((row) => row.category);
  }
}
