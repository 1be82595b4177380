import { types } from 'node:util';

/** Shorter than this, a secret would blank half the log, and protects nothing. */
const leastLength = 4;

/**
 * Blanks in a text whatever is a secret by its place: the password of `scheme://user:password@host`, `password=…`, the
 * fields of a JSON text that hold one, and the arguments that Redis repeats in "unknown command". A JSON text stays one.
 */
export function withoutPasswords(text: string): string {
  return text
    .replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"\\]*):[^\s/"\\]+@/gi, '$1:***@')
    .replace(/(\b(?:ssl)?password=)[^\s&"'\\]+/gi, '$1***')
    .replace(
      /("(?:proxy-)?(?:authorization|cookie|set-cookie|password|token)":)(?:"(?:[^"\\]|\\.)*"|\[[^\]]*\])/gi,
      '$1"***"',
    )
    .replace(/(with args beginning with:)(?:[^"\\\n]|\\[^n])*/g, '$1 ***');
}

/** Blanks these secrets, too, wherever they are in a text or a JSON text. */
export function withoutSecrets(secrets: readonly string[]): (text: string) => string {
  const spellings = secrets.filter(({ length }) => length >= leastLength).flatMap((secret) => [secret, inJson(secret)]);
  const longestFirst = [...new Set(spellings)].sort((a, b) => b.length - a.length);
  if (longestFirst.length === 0) return withoutPasswords;
  const known = new RegExp(longestFirst.map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
  return (text) => withoutPasswords(text).replace(known, '***');
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);

/** An error as it is logged. Whatever else it carries may be a secret: the arguments of a command, parameters, a URL. */
export interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/** How far causes are followed. */
const deepest = 8;

/** Also for what is no error: it is logged as it is, with the errors that it holds as they are logged. */
export function logged(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > deepest) return '…';
  const inner = (part: unknown): unknown => logged(part, depth + 1);
  if (types.isNativeError(value)) return loggedError(value, inner);
  if (Array.isArray(value)) return value.map(inner);
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, inner(part)]));
}

function loggedError(error: Error, inner: (part: unknown) => unknown): LoggedError {
  const { code, cause, errors } = error as Error & { readonly code?: unknown; readonly errors?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' && { code }),
    ...(error.stack !== undefined && { stack: error.stack }),
    ...(cause !== undefined && { cause: inner(cause) }),
    ...(Array.isArray(errors) && { errors: errors.map(inner) }),
  };
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
