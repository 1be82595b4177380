import { rowTag, type Tag, uriEntity } from '../core/tags.js';
import { type Address } from '../levels/level.js';
import { rowTags } from '../rules.js';

export type RowAddress = Extract<Address, { kind: 'row' }>;
export type QueryAddress = Extract<Address, { kind: 'query' }>;
export type ResponseAddress = Extract<Address, { kind: 'response' }>;

/** Where a row is kept, at every level. */
export function rowAddress(entity: string, id: string | number): RowAddress {
  const { tag, coarse } = rowTags(entity, id);
  return { kind: 'row', key: `row ${tag}`, tag, coarse };
}

/** Where the result of a query is kept. @param key canonical text of the query, without the entity's name */
export function queryAddress(entity: string, key: string, tags: readonly Tag[]): QueryAddress {
  return { kind: 'query', key: `query ${entity} ${key}`, tags };
}

/** Where a response is kept. @param key canonical path and query */
export function responseAddress(key: string): ResponseAddress {
  return { kind: 'response', key: `response ${key}` };
}

/** The tag of a response's own URI: unsafe requests to it are the only writers it has. @param key canonical path and query */
export const uriTag = (key: string): Tag => rowTag(uriEntity, key);

/** What an entry of the db layer depends on, known before it is read. */
export function tagsOf(address: RowAddress | QueryAddress): readonly Tag[] {
  return address.kind === 'row' ? [address.tag, address.coarse] : address.tags;
}
