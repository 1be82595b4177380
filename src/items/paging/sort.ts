import { type ItemRow } from '../item.view.js';

export const sortNames = ['id', '-id', 'price', '-price', 'name', '-name'] as const;
export type SortName = (typeof sortNames)[number];

/** Where a row stands in an order. */
export type Key = readonly (string | number)[];

/** One documented order as SQL: every column runs in one direction, so that a keyset is one row comparison. */
export interface Sort {
  /** Each has an index in exactly this shape, with and without `category` before it. */
  readonly columns: readonly string[];
  readonly direction: 'ASC' | 'DESC';
  /** The SQL types of {@link keyOf}'s values. */
  readonly types: readonly string[];
  /** Where a row stands in this order, exactly: decimals stay text. */
  keyOf(row: ItemRow): Key;
  /** Whether values from a cursor may be such a key. */
  accepts(key: unknown): key is Key;
}

const isId = (value: unknown) => Number.isInteger(value) && Math.abs(Number(value)) <= 2_147_483_647;
const isPrice = (value: unknown) => typeof value === 'string' && /^\d{1,10}\.\d\d$/.test(value);
const isName = (value: unknown) => typeof value === 'string' && !value.includes('\0') && [...value].length <= 200;

/** Ties go by ascending id: in a descending order that is a descending `-id`. */
function sort(column: 'price' | 'name', direction: 'ASC' | 'DESC'): Sort {
  const sign = direction === 'ASC' ? 1 : -1;
  const isValue = column === 'price' ? isPrice : isName;
  return {
    columns: [`i.${column}`, sign === 1 ? 'i.id' : '(-i.id)'],
    direction,
    types: [column === 'price' ? 'numeric' : 'text', 'integer'],
    keyOf: (row) => [row[column], sign * row.id],
    accepts: (key): key is Key => Array.isArray(key) && key.length === 2 && isValue(key[0]) && isId(key[1]),
  };
}

function byId(direction: 'ASC' | 'DESC', sign: 1 | -1 = 1): Sort {
  return {
    columns: [sign === 1 ? 'i.id' : '(-i.id)'],
    direction,
    types: ['integer'],
    keyOf: (row) => [sign * row.id],
    accepts: (key): key is Key => Array.isArray(key) && key.length === 1 && isId(key[0]),
  };
}

const sorts: Readonly<Record<SortName, Sort>> = {
  id: byId('ASC'),
  '-id': byId('DESC'),
  price: sort('price', 'ASC'),
  '-price': sort('price', 'DESC'),
  name: sort('name', 'ASC'),
  '-name': sort('name', 'DESC'),
};

/**
 * Within a category the order of ids is written as that of `-id`: only the category's index has that, so that the planner
 * cannot walk the primary key instead, past all the other categories, where a category is recent.
 */
const sortsInCategory: Readonly<Record<SortName, Sort>> = { ...sorts, id: byId('DESC', -1), '-id': byId('ASC', -1) };

export function sortOf({ sort, category }: { readonly sort: SortName; readonly category?: string | undefined }): Sort {
  return (category === undefined ? sorts : sortsInCategory)[sort];
}
