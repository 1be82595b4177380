/**
 * A tag names a thing that can change: `items:42` (a row), `items?category=tools` (the rows that a filter selects),
 * `items` (any row, for lists without a filter), `items:*` (coarse: everything of the entity).
 *
 * Different things have different tags. The name of an entity ends at the first `:` or `?`, and has neither in it; what
 * follows has no `*`, no `%` and nothing but printable ASCII of its own: such characters are escaped. So `:*` at the end
 * means coarse, in scripts too.
 */
export type Tag = string;

/** A tag together with the generation of it that a value was made under. */
export interface Dependency {
  readonly tag: Tag;
  readonly stamp: string;
}

/** What URIs are called among entities, and values of CACHE_MANAGER. */
export const uriEntity = 'uri';
export const valuesEntity = 'values';

const entityName = /^[\w.-]+$/;
const wellFormed = /^[\w.-]+(?::\*|[:?][^*]*)?$/;

/** Why an entity cannot have this name; undefined if it can. */
export function faultOfName(entity: string): string | undefined {
  if (entity === uriEntity || entity === valuesEntity) return 'is reserved: call the entity something else';
  return entityName.test(entity) ? undefined : 'is no name for tags: use letters, digits, `_`, `.` and `-`';
}

/** Whether a text is a tag of some entity. */
export const isTag = (text: string): boolean => wellFormed.test(text);

export const coarseTag = (entity: string): Tag => `${entity}:*`;
export const rowTag = (entity: string, id: string | number): Tag =>
  `${entity}:${typeof id === 'number' ? id : escaped(id)}`;
export const anyRowTag = (entity: string): Tag => entity;
export const filterTag = (entity: string, filter: Readonly<Record<string, string | number>>): Tag =>
  `${entity}?${new URLSearchParams(
    Object.entries(filter)
      .map(([name, value]): [string, string] => [name, String(value)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
    .toString()
    // The form encoding leaves it as it is.
    .replaceAll('*', '%2A')}`;

/** The entity that a tag belongs to. */
export const entityOf = (tag: Tag): string => /^[^:?]*/.exec(tag)![0];

export const isCoarse = (tag: Tag): boolean => tag.endsWith(':*');

/** The names of the attributes that a filter's tag gives values to, joined; undefined for any other tag. */
export function filterNamesOf(tag: Tag): string | undefined {
  const at = tag.indexOf('?');
  return at < 0 || at > tag.search(/[:?]/) ? undefined : namesOf(new URLSearchParams(tag.slice(at + 1)).keys());
}

export const namesOf = (names: Iterable<string>): string => [...names].sort().join('&');

const special = /[^\x20-\x7e]|[%*]/gu;

function escaped(text: string): string {
  return text.replace(special, (character) => {
    if (character === '*') return '%2A';
    // Half of a surrogate pair has no encoding in UTF-8.
    const code = character.charCodeAt(0);
    const half = character.length === 1 && code >= 0xd800 && code <= 0xdfff;
    return half ? `%u${code.toString(16)}` : encodeURIComponent(character);
  });
}
