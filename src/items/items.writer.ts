import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager } from 'typeorm';
import { inTransaction } from '../database/index.js';
import { type IfMatch, representationOf } from '../http/index.js';
import { LockedRows } from '../invalidation/index.js';
import { type ItemInput } from './dto/item-input.dto.js';
import { oncePerKey } from './idempotency-keys.js';
import { Item } from './item.entity.js';
import { itemRule, viewOfItem } from './item.rule.js';
import { type ItemView } from './item.view.js';
import { itemHasChanged, noSuchItem } from './items.errors.js';

/**
 * Changes items, one transaction per change. The row is locked before it is looked at, so that `If-Match` is judged against
 * the row that is really replaced, and changed by its key: `save()` and `remove()` would read it once more.
 */
@Injectable()
export class ItemsWriter {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly rows: LockedRows,
  ) {}

  /** @throws 422 when the idempotency key was used for another body */
  create(input: ItemInput, idempotencyKey?: string): Promise<ItemView> {
    const fields = allFields(input);
    return inTransaction(this.dataSource, (manager) => {
      const insert = async () => {
        const { id } = await manager.save(manager.create(Item, fields));
        return this.#asWritten(manager, id);
      };
      return idempotencyKey === undefined ? insert() : oncePerKey(manager, idempotencyKey, fields, insert);
    });
  }

  /** Replaces every field, also where nothing differs: each PUT is a version. @throws 404, 412 */
  replace(id: number, input: ItemInput, ifMatch?: IfMatch): Promise<ItemView> {
    return inTransaction(this.dataSource, async (manager) => {
      const item = await this.#lock(manager, id, ifMatch);
      await manager.update(Item, { id }, { ...allFields(input), version: item.version + 1 });
      return this.#asWritten(manager, id);
    });
  }

  /** @throws 404, 412 */
  remove(id: number, ifMatch?: IfMatch): Promise<void> {
    return inTransaction(this.dataSource, async (manager) => {
      await this.#lock(manager, id, ifMatch);
      await manager.delete(Item, { id });
    });
  }

  async #lock(manager: EntityManager, id: number, ifMatch: IfMatch | undefined): Promise<Item> {
    const item = await this.rows.lock(manager, itemRule, id);
    if (!item) throw noSuchItem(id);
    if (ifMatch && !ifMatch.allows(representationOf(viewOfItem(item)).etag)) throw itemHasChanged();
    return item;
  }

  /** The row as it is after the triggers; never the entity that was saved, which has only what was sent. */
  async #asWritten(manager: EntityManager, id: number): Promise<ItemView> {
    const item = await this.rows.asWritten(manager, itemRule, id);
    if (!item) throw noSuchItem(id);
    return viewOfItem(item);
  }
}

/** In this order, because the text of these fields identifies a request to its idempotency key. */
function allFields({ name, description, category, price, quantity }: ItemInput) {
  return { name, description: description ?? null, category, price, quantity };
}
