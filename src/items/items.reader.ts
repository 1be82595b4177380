import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { type Loaded, loadProof } from '../cache/index.js';
import { Settings } from '../config/index.js';
import { type ListItemsQuery } from './dto/list-items.query.js';
import { itemColumns, type ItemRow, type ItemsPage, type ItemView, viewOf } from './item.view.js';
import { decodeCursor, encodeCursor } from './paging/cursor.js';
import { pageStatement } from './paging/page.sql.js';
import { hasTrigram } from './paging/search.js';
import { sortOf } from './paging/sort.js';
import { Slots } from './slots.js';

const proofColumn = `(SELECT ${loadProof} AS proof) s`;

/** A row next to the proof of its load; nothing but the proof where nothing was found. */
type ProvenRow = { readonly proof: string | null } & (ItemRow | { readonly id: null });
type PageRow = ProvenRow & { readonly last_seen: boolean };

/** The part of the pool that searches may use which no index narrows down; more of them wait than for the pool itself. */
const scanShare = 0.2;

/** Reads items from PostgreSQL: each answer with the proof of the very statement that read it. */
@Injectable()
export class ItemsReader {
  readonly #scans: Slots;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    { databasePoolSize, databaseQueueSize }: Settings,
  ) {
    this.#scans = new Slots(Math.ceil(databasePoolSize * scanShare), databaseQueueSize);
  }

  async loadItem(id: number): Promise<Loaded<ItemView | null>> {
    const { value, proof } = await this.loadItems([id]);
    return { value: value.get(id) ?? null, proof };
  }

  /** Rows by id; ids without a row are absent from the map. */
  async loadItems(ids: readonly number[]): Promise<Loaded<Map<number, ItemView>>> {
    const sql = `SELECT s.proof, ${itemColumns} FROM ${proofColumn} LEFT JOIN items i ON i.id = ANY($1::int[])`;
    const rows = await this.dataSource.query<ProvenRow[]>(sql, [ids]);
    return { value: new Map(found(rows).map((row) => [row.id, viewOf(row)])), proof: proofOf(rows) };
  }

  /** @throws 400 for a cursor of another list */
  async loadPage({ sort, category, q, cursor, limit }: ListItemsQuery): Promise<Loaded<ItemsPage>> {
    const scope = { sort, category, q };
    const after = cursor === undefined ? undefined : decodeCursor(scope, cursor);
    const { text, parameters } = pageStatement(scope, after, limit);
    const query = (): Promise<PageRow[]> => this.dataSource.query<PageRow[]>(text, [...parameters]);
    const rows = await (q === undefined || hasTrigram(q) ? query() : this.#scans.run(query));
    const matches = found(rows).filter(({ last_seen }) => !last_seen);
    const data = matches.slice(0, limit);
    const last = matches.length > limit ? data.at(-1) : found(rows).find(({ last_seen }) => last_seen);
    const nextCursor = last ? encodeCursor(scope, sortOf(scope).keyOf(last)) : null;
    return { value: { data: data.map(viewOf), nextCursor }, proof: proofOf(rows) };
  }
}

function found<R extends ProvenRow>(rows: readonly R[]): Extract<R, ItemRow>[] {
  return rows.filter((row): row is Extract<R, ItemRow> => row.id !== null);
}

function proofOf(rows: readonly ProvenRow[]): string | null {
  const [first] = rows;
  if (!first) throw new Error('a statement that always yields a row yielded none');
  return first.proof;
}
