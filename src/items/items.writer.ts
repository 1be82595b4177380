import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager } from 'typeorm';
import { inTransaction } from '../database/index.js';
import { type IfMatch, representationOf } from '../http/index.js';
import { LockedRows, type RowStatement } from '../invalidation/index.js';
import { type ItemInput } from './dto/item-input.dto.js';
import { oncePerKey } from './idempotency-keys.js';
import { Item } from './item.entity.js';
import { itemOf, itemRule, viewOfItem } from './item.rule.js';
import { itemColumns, type ItemView } from './item.view.js';
import { itemHasChanged, noSuchItem } from './items.errors.js';

const insertItem = `
  INSERT INTO items AS i (name, description, category, price, quantity) VALUES ($1, $2, $3, $4, $5) RETURNING ${itemColumns}`;
const updateItem = `
  UPDATE items i SET name = $1, description = $2, category = $3, price = $4, quantity = $5, version = i.version + 1
   WHERE i.id = $6 RETURNING ${itemColumns}`;

/**
 * Changes items, one transaction per change. The row is locked before it is looked at, so that `If-Match` is judged against
 * the row that is really replaced; the statement that writes it answers what it has become.
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
      const insert = () => this.#write(manager, { sql: insertItem, parameters: Object.values(fields) });
      return idempotencyKey === undefined ? insert() : oncePerKey(manager, idempotencyKey, fields, insert);
    });
  }

  /** Replaces every field, also where nothing differs: each PUT is a version. @throws 404, 412 */
  replace(id: number, input: ItemInput, ifMatch?: IfMatch): Promise<ItemView> {
    const parameters = [...Object.values(allFields(input)), id];
    return inTransaction(this.dataSource, async (manager) => {
      await this.#lock(manager, id, ifMatch);
      return this.#write(manager, { sql: updateItem, parameters, id });
    });
  }

  /** @throws 404, 412 */
  remove(id: number, ifMatch?: IfMatch): Promise<void> {
    return inTransaction(this.dataSource, async (manager) => {
      await manager.remove(await this.#lock(manager, id, ifMatch));
    });
  }

  async #lock(manager: EntityManager, id: number, ifMatch: IfMatch | undefined): Promise<Item> {
    const item = await this.rows.lock(manager, itemRule, id);
    if (!item) throw noSuchItem(id);
    if (ifMatch && !ifMatch.allows(representationOf(viewOfItem(item)).etag)) throw itemHasChanged();
    return item;
  }

  async #write(manager: EntityManager, statement: RowStatement): Promise<ItemView> {
    const item = await this.rows.write(manager, itemRule, statement, itemOf);
    if (!item) throw new Error('a statement that writes an item answered none');
    return viewOfItem(item);
  }
}

/** In the order of the statements' parameters; and the text of these fields identifies a request to its idempotency key. */
function allFields({ name, description, category, price, quantity }: ItemInput) {
  return { name, description: description ?? null, category, price, quantity };
}
