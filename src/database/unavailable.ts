import { types } from 'node:util';
import { QueryFailedError } from 'typeorm';

/** SQLSTATE classes and codes that say "not now" (PostgreSQL manual, appendix A). */
const states = /^(?:08...|53...|57P0[1-5]|57014|25P03|40001|40P01|55P03|25006)$/;
const systemErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
]);
const messages =
  /^(?:timeout exceeded when trying to connect|Connection terminated|Query read timeout|Client was closed|Client has encountered a connection error|Cannot use a pool after calling end|Driver not Connected)/i;

/** Whether an error says that the database cannot be asked at the moment: a later attempt may succeed. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  if (!types.isNativeError(cause)) return false;
  const code = codeOf(cause);
  return (code !== undefined && (states.test(code) || systemErrors.has(code))) || messages.test(cause.message);
}

/** The SQLSTATE of a failed statement or the code of a system error. */
export function codeOf(error: unknown): string | undefined {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  return types.isNativeError(cause) && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}
