import { loadProof } from '../../cache/index.js';
import { itemColumns } from '../item.view.js';
import { type CursorScope } from './cursor.js';
import { hasTrigram, likePattern, scanWindow, searchCondition } from './search.js';
import { type Key, sortOf } from './sort.js';

export interface Statement {
  readonly text: string;
  readonly parameters: readonly unknown[];
}

/**
 * The rows of one page and one more, each with the proof of the load; a single row of nulls when there are none.
 *
 * A search without a trigram marks the last row it looked at (`last_seen`) instead of scanning the whole table, so that
 * its pages may be short, even empty, and still have a next one.
 */
export function pageStatement(scope: CursorScope, after: Key | undefined, limit: number): Statement {
  const { columns, direction, types } = sortOf(scope);
  const parameters: unknown[] = [];
  const parameter = (value: unknown) => `$${parameters.push(value)}`;
  const conditions: string[] = [];
  if (scope.category !== undefined) conditions.push(`i.category = ${parameter(scope.category)}`);
  if (after) {
    const key = after.map((value, at) => `${parameter(value)}::${types[at]}`);
    conditions.push(`(${columns.join(', ')}) ${direction === 'ASC' ? '>' : '<'} (${key.join(', ')})`);
  }
  const order = `ORDER BY ${columns.map((column) => `${column} ${direction}`).join(', ')}`;
  const source = `SELECT ${itemColumns} FROM items i ${where(conditions)} ${order}`;
  const rows = limit + 1;
  let page = `SELECT i.*, false AS last_seen FROM (${source} LIMIT ${rows}) i`;
  if (scope.q !== undefined) {
    const search = searchCondition(parameter(likePattern(scope.q)));
    page = hasTrigram(scope.q)
      ? `SELECT ${itemColumns}, false AS last_seen FROM items i ${where([...conditions, search])} ${order} LIMIT ${rows}`
      : windowed(source, search, rows);
  }
  const text = `SELECT s.proof, i.* FROM (SELECT ${loadProof} AS proof) s
    LEFT JOIN LATERAL (${page}) i ON true ${order}`;
  return { text, parameters };
}

function where(conditions: readonly string[]): string {
  return conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
}

/** The matches among the next rows; only where they do not fill the page, also the last of those rows (if there is one). */
function windowed(source: string, search: string, rows: number): string {
  return `SELECT * FROM (
      (SELECT i.*, false AS last_seen FROM (${source} LIMIT ${scanWindow}) i WHERE ${search} LIMIT ${rows})
      UNION ALL
      (SELECT i.*, true AS last_seen FROM (${source} OFFSET ${scanWindow - 1} LIMIT 1) i)
    ) i LIMIT ${rows}`;
}
