/**
 * A tag names a thing that can change: `items:42` (a row), `items?category=tools` (the rows that a filter selects),
 * `items` (any row, for lists without a filter), `items:*` (coarse: everything of the entity).
 */
export type Tag = string;

/** A tag together with the generation of it that a value was made under. */
export interface Dependency {
  readonly tag: Tag;
  readonly stamp: string;
}

export const coarseTag = (entity: string): Tag => `${entity}:*`;
export const rowTag = (entity: string, id: string | number): Tag => `${entity}:${id}`;
export const anyRowTag = (entity: string): Tag => entity;
export const filterTag = (entity: string, filter: Readonly<Record<string, string | number>>): Tag =>
  `${entity}?${new URLSearchParams(
    Object.entries(filter)
      .map(([name, value]): [string, string] => [name, String(value)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  ).toString()}`;

/** The entity that a tag belongs to. */
export const entityOf = (tag: Tag): string => /^[^:?]*/.exec(tag)![0];

export const isCoarse = (tag: Tag): boolean => tag.endsWith(':*');
