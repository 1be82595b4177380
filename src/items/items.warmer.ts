import { Injectable, type OnModuleInit } from '@nestjs/common';
import { queryTags, WarmFill, type WarmOutcome } from '../cache/index.js';
import {
  type Batch,
  type Cursor,
  type RowId,
  type Walk,
  type WalkOptions,
  type WalkRequest,
  Warmer,
  Warmers,
} from '../warming/index.js';
import { listQuery } from './canonical.js';
import { ListItemsQuery } from './dto/list-items.query.js';
import { maxInteger } from './dto/number.rules.js';
import { itemRule } from './item.rule.js';
import { ItemsReader } from './items.reader.js';
import { ItemsWarmerReader } from './items.warmer-reader.js';
import { sortNames } from './paging/sort.js';

/** Rows of one statement and of one pipeline: some ten milliseconds of Redis's time. */
const batchSize = 200;
/** Categories that are looked for to know how many lists there are. */
const countedCategories = 10_000;

interface Stretch {
  readonly ids: readonly number[];
  readonly cursor: Cursor;
}

/** Warms items: rows by id, by time of change or all of them, and the first page of each list. */
@Injectable()
export class ItemsWarmer extends Warmer implements OnModuleInit {
  readonly entity = itemRule.entity;

  constructor(
    private readonly warmers: Warmers,
    private readonly fill: WarmFill,
    private readonly items: ItemsReader,
    private readonly reader: ItemsWarmerReader,
  ) {
    super();
  }

  onModuleInit(): void {
    this.warmers.add(this);
  }

  override isId(id: RowId): boolean {
    return typeof id === 'number' && Number.isInteger(id) && id >= 1 && id <= maxInteger;
  }

  override walk(request: WalkRequest): Walk {
    switch (request.strategy) {
      case 'ids':
        return this.#given(request.ids as readonly number[]);
      case 'recent':
        return this.#rows((after, size) => this.#recent(after, size));
      case 'all':
        return this.#rows((after, size) => this.#all(after, size));
      case 'lists':
        return {
          count: async () => (1 + (await this.reader.categoriesAfter('', countedCategories)).length) * sortNames.length,
          batches: (options) => this.#listBatches(options),
        };
    }
  }

  #given(ids: readonly number[]): Walk {
    const next = (after: Cursor | undefined, size: number) => {
      const from = Number(after ?? 0);
      return Promise.resolve({ ids: ids.slice(from, from + size), cursor: from + size });
    };
    return { count: () => Promise.resolve(ids.length), batches: (options) => this.#batches(next, options, true) };
  }

  #rows(next: (after: Cursor | undefined, size: number) => Promise<Stretch>): Walk {
    return { count: () => this.reader.countItems(), batches: (options) => this.#batches(next, options, false) };
  }

  async #all(after: Cursor | undefined, size: number): Promise<Stretch> {
    const ids = await this.reader.idsAfter(Number(after ?? 0), size);
    return { ids, cursor: ids.at(-1) ?? 0 };
  }

  async #recent(after: Cursor | undefined, size: number): Promise<Stretch> {
    const [changedAt, id] = (after ?? []) as [string?, number?];
    const key = changedAt !== undefined && id !== undefined ? { changedAt, id } : undefined;
    const keys = await this.reader.changedBefore(key, size);
    const last = keys.at(-1);
    return { ids: keys.map((found) => found.id), cursor: last ? [last.changedAt, last.id] : [] };
  }

  async *#batches(
    next: (after: Cursor | undefined, size: number) => Promise<Stretch>,
    { after, limit }: WalkOptions,
    keepAbsent: boolean,
  ): AsyncIterable<Batch> {
    for (let left = limit, at = after; left > 0;) {
      const { ids, cursor } = await next(at, Math.min(left, batchSize));
      if (ids.length === 0) return;
      const load = (missing: readonly number[]) => this.items.loadItems(missing);
      yield { cursor, size: ids.length, warm: () => this.fill.rows(this.entity, ids, load, { keepAbsent }) };
      left -= ids.length;
      at = cursor;
    }
  }

  /** First the lists of every category together, then those of one category after the other. */
  async *#listBatches({ after, limit }: WalkOptions): AsyncIterable<Batch> {
    let category = after === undefined ? undefined : String(after);
    for (let left = limit; left > 0; left -= sortNames.length) {
      const next: string | undefined =
        category === undefined ? '' : (await this.reader.categoriesAfter(category, 1))[0];
      if (next === undefined) return;
      category = next;
      const filter = next === '' ? {} : { category: next };
      const queries = sortNames.slice(0, left).map((sort) => Object.assign(new ListItemsQuery(), filter, { sort }));
      yield { cursor: next, size: queries.length, warm: () => this.#warmLists(queries) };
    }
  }

  async #warmLists(queries: readonly ListItemsQuery[]): Promise<WarmOutcome> {
    let total: WarmOutcome = { warmed: 0, alreadyCached: 0, refused: 0 };
    for (const query of queries) {
      const tags = queryTags(this.entity, query.category === undefined ? {} : { category: query.category });
      const load = () => this.items.loadPage(query);
      const { warmed, alreadyCached, refused } = await this.fill.query(this.entity, listQuery(query), tags, load);
      total = {
        warmed: total.warmed + warmed,
        alreadyCached: total.alreadyCached + alreadyCached,
        refused: total.refused + refused,
      };
    }
    return total;
  }
}
