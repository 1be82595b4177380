import { type DataSource } from 'typeorm';
import { catalogue } from './catalogue/index.js';
import { Item } from './item.entity.js';

const batchSize = 500;

/**
 * Puts the demo catalogue in, once per database: deleting every item does not bring it back, and a table that somebody
 * else has filled is left alone.
 * @returns how many items were inserted
 */
export function seedCatalogue(dataSource: DataSource): Promise<number> {
  return dataSource.transaction(async (manager) => {
    const first = await manager.query<unknown[]>(
      `INSERT INTO seeds (name) VALUES ('catalogue') ON CONFLICT DO NOTHING RETURNING name`,
    );
    if (first.length === 0 || (await manager.existsBy(Item, {}))) return 0;
    const items = catalogue();
    for (let at = 0; at < items.length; at += batchSize) await manager.insert(Item, items.slice(at, at + batchSize));
    return items.length;
  });
}
