/** Rows that one page of an unindexable search looks at before it answers what it has found. */
export const scanWindow = 20_000;

/**
 * Whether a trigram index can narrow this search down: it needs three word characters in a row. Other searches walk the
 * sort's index, at most {@link scanWindow} rows per page.
 */
export function hasTrigram(q: string): boolean {
  return /[\p{L}\p{N}]{3}/u.test(q);
}

/** A LIKE pattern for "contains this text". */
export function likePattern(q: string): string {
  return `%${q.replace(/[\\%_]/g, '\\$&')}%`;
}

const folded = (text: string) => `lower(${text} COLLATE "und-x-icu")`;

/** The condition in the shape of the trigram index; ICU folds the case the same way whatever the database's locale. */
export function searchCondition(parameter: string): string {
  const pattern = folded(`${parameter}::text`);
  return `(${folded('i.name')} LIKE ${pattern} OR ${folded('i.description')} LIKE ${pattern})`;
}
