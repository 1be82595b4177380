import { Injectable } from '@nestjs/common';
import { ReadThrough } from '../cache/index.js';
import { type IfMatch } from '../http/index.js';
import { listQuery, pageTags } from './canonical.js';
import { type ItemInput } from './dto/item-input.dto.js';
import { type ListItemsQuery } from './dto/list-items.query.js';
import { itemRule } from './item.rule.js';
import { type ItemsPage, type ItemView } from './item.view.js';
import { noSuchItem } from './items.errors.js';
import { ItemsReader } from './items.reader.js';
import { ItemsWriter } from './items.writer.js';

/** What can be done with items. */
@Injectable()
export class ItemsService {
  constructor(
    private readonly cache: ReadThrough,
    private readonly reader: ItemsReader,
    private readonly writer: ItemsWriter,
  ) {}

  /** @throws 404 */
  async findOne(id: number): Promise<ItemView> {
    const item = await this.cache.row(itemRule.entity, id, () => this.reader.loadItem(id));
    if (!item) throw noSuchItem(id);
    return item;
  }

  /** @throws 400 for a cursor of another list */
  findPage(query: ListItemsQuery): Promise<ItemsPage> {
    const load = () => this.reader.loadPage(query);
    return this.cache.query(itemRule.entity, listQuery(query), pageTags(query), load);
  }

  /** @throws 422 when the idempotency key was used for another body */
  create(input: ItemInput, idempotencyKey?: string): Promise<ItemView> {
    return this.writer.create(input, idempotencyKey);
  }

  /** @throws 404, 412 */
  replace(id: number, input: ItemInput, ifMatch?: IfMatch): Promise<ItemView> {
    return this.writer.replace(id, input, ifMatch);
  }

  /** @throws 404, 412 */
  remove(id: number, ifMatch?: IfMatch): Promise<void> {
    return this.writer.remove(id, ifMatch);
  }
}
