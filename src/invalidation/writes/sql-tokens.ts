/* The tokens of a statement, and where brackets and clauses end. */

/** Words in lower case, quoted identifiers as they are (`"Name"`), strings with their quotes, everything else by itself. */
export type Token = string;

const token =
  /\s+|--[^\n]*|e'(?:[^'\\]|''|\\[\s\S])*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\d+|\$([a-z_\u0080-\uffff]\w*)?\$[\s\S]*?\$\1\$|[a-z_\u0080-\uffff][\w$\u0080-\uffff]*|\d[\w.]*|[\s\S]/giy;
const blank = /^(?:\s|--[^\n])/;
export const identifier = /^(?:"|[a-z_\u0080-\uffff])/;
const word = /^[a-z_\u0080-\uffff]/i;

export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < sql.length;) {
    if (sql.startsWith('/*', at)) {
      at = endOfComment(sql, at);
      continue;
    }
    token.lastIndex = at;
    const [text] = token.exec(sql)!;
    at += text.length;
    if (blank.test(text) || text === '--') continue;
    tokens.push(word.test(text) && !isText(text) ? text.toLowerCase() : text);
  }
  return tokens;
}

/** PostgreSQL's block comments nest. */
function endOfComment(sql: string, from: number): number {
  let depth = 0;
  for (let at = from; at < sql.length; at += 1) {
    if (sql.startsWith('/*', at)) {
      depth += 1;
      at += 1;
    } else if (sql.startsWith('*/', at)) {
      depth -= 1;
      at += 1;
      if (depth === 0) return at + 1;
    }
  }
  return sql.length;
}

export const isText = (text: Token): boolean => /^(?:e?'|\$(?!\d))/i.test(text) && text.length > 1;

export const contentOf = (text: Token): string =>
  text.startsWith('$')
    ? text.slice(text.indexOf('$', 1) + 1, text.lastIndexOf('$', text.length - 2))
    : text.slice(text.indexOf("'") + 1, -1).replaceAll("''", "'");

export function statements(tokens: readonly Token[]): Token[][] {
  const all: Token[][] = [[]];
  for (const text of tokens) {
    if (text === ';') all.push([]);
    else all.at(-1)!.push(text);
  }
  return all;
}

/** Unquoted, a name is in lower case. */
export const nameOf = (text: Token): string => (text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text);

/** Where, outside of brackets, a token is that ends a clause; or the bracket or the statement that ends it. */
export function endOfList(tokens: readonly Token[], from: number, ends: (text: Token, at: number) => boolean): number {
  let at = from;
  while (at < tokens.length && tokens[at] !== ')' && !ends(tokens[at]!, at))
    at = tokens[at] === '(' ? endOfGroup(tokens, at) : at + 1;
  return at;
}

/** Behind the bracket that closes the one at `from`. */
export function endOfGroup(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let at = from; at < tokens.length; at += 1) {
    if (tokens[at] === '(') depth += 1;
    if (tokens[at] === ')') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return tokens.length;
}
