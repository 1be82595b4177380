import { type Request } from 'express';
import { ValidationPipe } from '../http/index.js';
import { IdPipe } from './dto/id.pipe.js';
import { ListItemsQuery } from './dto/list-items.query.js';

const names = ['category', 'cursor', 'limit', 'q', 'sort'] as const;
const defaults = new ListItemsQuery();
const queryPipe = new ValidationPipe();
const idPipe = new IdPipe();

/** The canonical form of a list's query: names in order, values normalised, defaults left out. */
export function canonicalQuery(query: ListItemsQuery): string {
  const given = names.flatMap((name): [string, string][] => {
    const value = query[name];
    return value === undefined || value === defaults[name] ? [] : [[name, String(value)]];
  });
  return new URLSearchParams(given).toString();
}

/** The key of `GET /items`; none for a query that will be refused. */
export const listKey = ({ query }: Request): string | undefined =>
  unlessRefused(() => {
    const parsed = queryPipe.transform(query, { type: 'query', metatype: ListItemsQuery }) as ListItemsQuery;
    return `/items?${canonicalQuery(parsed)}`;
  });

/** The key of `GET /items/:id`; none for a request that will be refused. */
export const itemKey = ({ params }: Request): string | undefined =>
  unlessRefused(() => `/items/${idPipe.transform(String(params['id']))}`);

function unlessRefused(key: () => string): string | undefined {
  try {
    return key();
  } catch {
    return undefined;
  }
}
