import { type EntityRule } from '../cache/index.js';
import { Item } from './item.entity.js';
import { type ItemView } from './item.view.js';

/** An item as it is answered and cached. */
export const viewOfItem = (item: Item): ItemView => ({
  id: item.id,
  name: item.name,
  description: item.description,
  category: item.category,
  price: item.price,
  quantity: item.quantity,
  version: item.version,
  createdAt: item.createdAt.toISOString(),
  updatedAt: item.updatedAt.toISOString(),
});

/** What the cache knows of items: a row's lists are those of its category, and the ones without a filter. */
export const itemRule: EntityRule<Item> = {
  entity: 'items',
  target: Item,
  idOf: ({ id }) => id,
  filtersOf: ({ category }) => [{ category }],
  view: viewOfItem,
  initialPolicy: ({ itemsCachePolicy, cachePolicy }) => itemsCachePolicy ?? cachePolicy,
};
