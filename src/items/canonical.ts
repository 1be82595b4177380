import { canonicalKey, canonicalQuery, type KeyedRequest, queryTags, type Tag } from '../cache/index.js';
import { ValidationPipe } from '../http/index.js';
import { IdPipe } from './dto/id.pipe.js';
import { ListItemsQuery } from './dto/list-items.query.js';
import { itemRule } from './item.rule.js';

const defaults = new ListItemsQuery();
const queryPipe = new ValidationPipe();
const idPipe = new IdPipe();

/** The canonical form of a list's query. */
export const listQuery = (query: ListItemsQuery): string => canonicalQuery(query, defaults);
export const listPath = (query: ListItemsQuery): string => canonicalKey('/items', query, defaults);
export const itemPath = (id: number): string => `/items/${id}`;

/** What a list depends on: its category's items, or all. */
export const pageTags = ({ category }: ListItemsQuery): Tag[] =>
  queryTags(itemRule.entity, category === undefined ? {} : { category });

/** The parameters of a list; undefined where they will be refused. */
export const listQueryOf = (query: unknown): ListItemsQuery | undefined =>
  unlessRefused(() => queryPipe.transform(query, { type: 'query', metatype: ListItemsQuery }) as ListItemsQuery);

/** The id of an item; undefined where it will be refused. */
export const itemIdOf = (text: string): number | undefined => unlessRefused(() => idPipe.transform(text));

/** The key of `GET /items`; none for a query that will be refused. */
export const listKey = ({ query }: Pick<KeyedRequest, 'params' | 'query'>): string | undefined => {
  const parsed = listQueryOf(query);
  return parsed && listPath(parsed);
};

/** The key of `GET /items/:id`; none for a request that will be refused. */
export const itemKey = ({ params }: KeyedRequest): string | undefined => {
  const id = itemIdOf(String(params['id']));
  return id === undefined ? undefined : itemPath(id);
};

function unlessRefused<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
