import { statements, type Token, tokensOf } from './sql-tokens.js';

/** What a statement does to the transaction that it is in. */
export type Control = 'begin' | 'commit' | 'rollback' | 'rollback to';

const controlling = /(?:^|[;\n]|\*\/)\s*(?:begin|start|commit|end|prepare|rollback|abort)\b/i;
const none: readonly undefined[] = [undefined];

/** Of each statement of a text, wherever that comes from: TypeORM, or a user's own hand. */
export function controlsIn(sql: string): readonly (Control | undefined)[] {
  if (!controlling.test(sql)) return none;
  return statements(tokensOf(sql))
    .filter((tokens) => tokens.length > 0)
    .map(controlOf);
}

function controlOf(tokens: readonly Token[]): Control | undefined {
  const [first, second] = tokens;
  if (second === 'prepared') return undefined;
  switch (first) {
    case 'begin':
      return 'begin';
    case 'start':
      return second === 'transaction' ? 'begin' : undefined;
    case 'commit':
    case 'end':
      return 'commit';
    case 'prepare':
      return second === 'transaction' ? 'commit' : undefined;
    case 'abort':
      return 'rollback';
    case 'rollback':
      return tokens.includes('to') ? 'rollback to' : 'rollback';
    case undefined:
    default:
      return undefined;
  }
}
