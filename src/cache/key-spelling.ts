import { type RowId } from './rules.js';

/** The text that all spellings of one key have in common, by the type of its column, as PostgreSQL names it. */
const spellings: Readonly<Record<string, (id: RowId) => string>> = {
  smallint: integer,
  integer,
  bigint: integer,
  uuid,
  character: (id) => String(id).replace(/ +$/, ''),
  'character varying': String,
  text: String,
  enum: String,
  boolean: String,
};

export function keySpelling(type: string): ((id: RowId) => string) | undefined {
  return Object.hasOwn(spellings, type) ? spellings[type] : undefined;
}

export const spellableTypes: readonly string[] = Object.keys(spellings);

/** `7`, `07`, ` 7` and `+7` are one number. What is none finds no row, however it is spelled. */
function integer(id: RowId): string {
  const text = String(id);
  return /^\s*[+-]?\d+\s*$/.test(text) ? String(BigInt(text)) : text;
}

/** Capitals, braces, and hyphens in other places or in none. */
function uuid(id: RowId): string {
  const digits = String(id)
    .toLowerCase()
    .replace(/[-{}\s]/g, '');
  return /^[0-9a-f]{32}$/.test(digits)
    ? digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    : String(id);
}
