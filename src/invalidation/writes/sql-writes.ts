import { Condition, type Keys } from './sql-condition.js';
import {
  contentOf,
  endOfGroup,
  endOfList,
  identifier,
  isText,
  nameOf,
  statements,
  type Token,
  tokensOf,
} from './sql-tokens.js';

/*
 * Which tables a statement writes, as far as its text tells. Not a parser of SQL: a list of its tokens, in which the words
 * that write are looked for, each with the table behind it. It may find a write where there is none (`EXPLAIN UPDATE`);
 * it must not overlook one. What functions and triggers write is in no statement's text: only the change feed sees it.
 */

export type Operation = 'insert' | 'update' | 'delete' | 'truncate';

export interface TableName {
  readonly schema: string | undefined;
  readonly name: string;
}

export interface SqlWrite {
  readonly operation: Operation;
  readonly table: TableName;
  /** How many rows `INSERT … VALUES` adds; undefined where the text does not tell. */
  readonly rows?: number;
  /** `ON CONFLICT DO UPDATE`: of rows that the INSERT counts already. */
  readonly onConflict?: true;
  /** The columns that are assigned; undefined where the text does not tell. */
  readonly columns?: readonly string[];
  /** By column: the numbers of the parameters that its value is one of, in every row that is written. */
  readonly keys?: Keys;
}

const changing = /\b(?:insert|update|delete|merge|truncate|copy|do|create|alter|drop)\b/i;
const defining = /\b(?:create|alter|drop)\b/i;

/** Whether a statement is worth being looked at: most reads are not. */
export const mayChange = (sql: string): boolean => changing.test(sql);

/** Whether a statement may change tables themselves, hence their foreign keys. */
export const mayDefine = (sql: string): boolean => defining.test(sql);

export function writesIn(sql: string): SqlWrite[] {
  return statements(tokensOf(sql)).flatMap((tokens) => {
    // What a function or a trigger does, it does when it is called.
    if (tokens[0] === 'create') return [];
    return tokens[0] === 'do' ? writesInTexts(tokens) : tokens.flatMap((_, at) => writesAt(tokens, at));
  });
}

/** The body of a DO block is a string, and so is what it executes. */
function writesInTexts(tokens: readonly Token[]): SqlWrite[] {
  return tokens.filter(isText).flatMap((text) => {
    const content = contentOf(text);
    return [...writesIn(content), ...writesInTexts(tokensOf(content))];
  });
}

/** The writes that begin at one token. */
function writesAt(tokens: readonly Token[], at: number): SqlWrite[] {
  const next = tokens[at + 1];
  switch (tokens[at]) {
    case 'insert':
      return next === 'into' ? insertAt(tokens, at + 2) : [];
    case 'update':
      // FOR UPDATE, FOR NO KEY UPDATE lock; DO UPDATE and THEN UPDATE belong to the INSERT and the MERGE before them.
      return ['for', 'key', 'do', 'then', 'on'].includes(tokens[at - 1] ?? '') ? [] : updateAt(tokens, at + 1);
    case 'delete':
      return next === 'from' ? deleteAt(tokens, at + 2) : [];
    case 'merge':
      return next === 'into' ? mergeAt(tokens, at + 2) : [];
    case 'truncate':
      return truncateAt(tokens, next === 'table' ? at + 2 : at + 1);
    case 'copy':
      return copyAt(tokens, at + 1);
    case undefined:
    default:
      return [];
  }
}

interface Target {
  readonly table: TableName;
  /** The token behind it. */
  readonly end: number;
}

function targetAt(tokens: readonly Token[], from: number): Target | undefined {
  let at = tokens[from] === 'only' ? from + 1 : from;
  const parts: string[] = [];
  for (;;) {
    const part = tokens[at];
    if (part === undefined || !identifier.test(part)) return undefined;
    parts.push(nameOf(part));
    at += 1;
    if (tokens[at] !== '.') break;
    at += 1;
  }
  return { table: { schema: parts.at(-2), name: parts.at(-1)! }, end: tokens[at] === '*' ? at + 1 : at };
}

function insertAt(tokens: readonly Token[], from: number): SqlWrite[] {
  const target = targetAt(tokens, from);
  if (!target) return [];
  const { table } = target;
  const insert: SqlWrite = { operation: 'insert', table, ...rowsOf(tokens, target.end) };
  const conflict = endOfList(tokens, target.end, (text, at) => text === 'do' && tokens[at + 1] === 'update');
  if (tokens[conflict] !== 'do') return [insert];
  return [insert, { operation: 'update', onConflict: true, table, columns: assignedAt(tokens, conflict + 3) }];
}

/** How many rows follow `VALUES`. */
function rowsOf(tokens: readonly Token[], from: number): { readonly rows?: number } {
  const values = endOfList(tokens, from, (text) => text === 'values' || text === 'select' || text === 'with');
  if (tokens[values] !== 'values') return {};
  if (tokens[values - 1] === 'default') return { rows: 1 };
  let rows = 0;
  let at = values + 1;
  while (tokens[at] === '(') {
    rows += 1;
    at = endOfGroup(tokens, at);
    if (tokens[at] !== ',') break;
    at += 1;
  }
  return { rows };
}

function updateAt(tokens: readonly Token[], from: number): SqlWrite[] {
  const target = targetAt(tokens, from);
  if (!target) return [];
  const set = endOfList(tokens, target.end, (text) => text === 'set');
  const columns = assignedAt(tokens, set + 1);
  return [{ operation: 'update', table: target.table, columns, ...keysBehind(tokens, set) }];
}

function deleteAt(tokens: readonly Token[], from: number): SqlWrite[] {
  const target = targetAt(tokens, from);
  return target ? [{ operation: 'delete', table: target.table, ...keysBehind(tokens, target.end) }] : [];
}

function mergeAt(tokens: readonly Token[], from: number): SqlWrite[] {
  const target = targetAt(tokens, from);
  return target
    ? (['insert', 'update', 'delete'] as const).map((operation) => ({ operation, table: target.table }))
    : [];
}

function truncateAt(tokens: readonly Token[], from: number): SqlWrite[] {
  const target = targetAt(tokens, from);
  if (!target) return [];
  const { table, end } = target;
  return [{ operation: 'truncate', table }, ...(tokens[end] === ',' ? truncateAt(tokens, end + 1) : [])];
}

function copyAt(tokens: readonly Token[], from: number): SqlWrite[] {
  const target = targetAt(tokens, from);
  if (!target) return [];
  const end = tokens[target.end] === '(' ? endOfGroup(tokens, target.end) : target.end;
  return tokens[end] === 'from' ? [{ operation: 'insert', table: target.table }] : [];
}

/** The columns left of each `=` of a SET clause. */
function assignedAt(tokens: readonly Token[], from: number): string[] {
  const columns: string[] = [];
  const end = endOfList(tokens, from, (text) => text === 'where' || text === 'from' || text === 'returning');
  let at = from;
  while (at < end) {
    const group = tokens[at] === '(' ? tokens.slice(at + 1, endOfGroup(tokens, at) - 1) : [tokens[at]!];
    columns.push(...group.filter((text) => identifier.test(text)).map(nameOf));
    at = endOfList(tokens, at, (text) => text === ',') + 1;
  }
  return columns;
}

/** With other tables in the statement, a column may be theirs. */
function keysBehind(tokens: readonly Token[], from: number): Pick<SqlWrite, 'keys'> {
  const where = endOfList(tokens, from, (text) => ['where', 'from', 'using'].includes(text));
  return tokens[where] === 'where' ? { keys: new Condition(tokens, where + 1).whole() } : {};
}
