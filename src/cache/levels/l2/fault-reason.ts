import { codeOf, isDatabaseUnavailable } from '../../../database/index.js';
import { DeadlineExceededError, LevelUnavailableError, UnusableRedisError } from '../../cache.errors.js';

type Rule = readonly [pattern: RegExp, reason: string | ((found: string) => string)];

export const reasons = {
  cluster: 'REDIS_URL leads to a node of Redis Cluster, which is not supported: use a single primary',
  replica: 'REDIS_URL leads to a replica: it must lead to the primary',
  sentinel: 'REDIS_URL leads to a Sentinel: it must lead to the primary',
} as const;

/** What a server answers instead of what was asked for: Redis 7.0 to 8, Valkey. The first that fits counts. */
const replies: readonly Rule[] = [
  [/^WRONGPASS|invalid password/i, 'Redis refuses the user or the password in REDIS_URL'],
  [/^NOAUTH/, 'Redis wants a password: REDIS_URL must be redis://user:password@host'],
  [/without any password configured/, 'REDIS_URL has a password, and the default user of Redis has none'],
  [/can't run this command|^NOPERM|ACL failure/, 'the user in REDIS_URL lacks rights: a script may not run a command'],
  [/unknown (?:redis )?command(?: '([a-z|]+)')?/i, (command) => hasNo([command])],
  [/^(?:READONLY|MASTERDOWN)/, reasons.replica],
  [/^(?:MOVED|ASK|CROSSSLOT|TRYAGAIN|CLUSTERDOWN)|cluster mode/, reasons.cluster],
  [/^LOADING/, 'Redis is loading its data'],
  [/^BUSY/, 'Redis is busy with a script'],
  [/^OOM/, 'the memory of Redis is full: raise maxmemory'],
  [/^MISCONF/, 'Redis refuses writes because it cannot save its data: see its log'],
  [/^NOREPLICAS/, 'Redis refuses writes because it has fewer replicas than min-replicas-to-write'],
  [/^DENIED/, 'Redis is in protected mode: give it a password'],
  [/max number of clients/, 'Redis has as many clients as it takes: raise maxclients'],
  [/^WRONGTYPE/, 'a key of this service in Redis has been overwritten: remove strata:*:record'],
  [/DB index/, 'Redis has no database of the number in REDIS_URL'],
];

/** What keeps a connection from coming about, by its code. */
const codes: readonly Rule[] = [
  [/^(?:ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/, 'Redis speaks no TLS there: use redis://'],
  [/^\w*(?:SSL|TLS|CERT|SIGNATURE)\w*$/, (code) => `TLS with Redis fails (${code}): see REDIS_TLS_CA, REDIS_TLS_CERT`],
  [/^E[A-Z_]+$/, (code) => `Redis cannot be reached (${code})`],
];

/**
 * Why Redis cannot be used, for the log and for `/health`, which anybody may read: one of a closed set of sentences, with
 * the remedy. Never what the error says itself, since servers repeat what they were sent.
 */
export function reasonOf(error: Error): string {
  if (error instanceof UnusableRedisError) return error.message;
  if (error instanceof DeadlineExceededError) return 'Redis does not answer in time';
  if (error instanceof LevelUnavailableError)
    return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
  const { message } = error;
  if (isErrorReply(error)) {
    const right = missingRight(message);
    return right ? lacks([right]) : (find(replies, message) ?? `Redis answers with an error (${kindOf(message)})`);
  }
  const code = codeOf(error) ?? '';
  if (code === '42501')
    return 'PostgreSQL does not say which database it is: GRANT EXECUTE ON FUNCTION pg_control_system(), pg_control_checkpoint()';
  if (!('syscall' in error) && (isSqlState.test(code) || isDatabaseUnavailable(error)))
    return 'PostgreSQL cannot be asked which generation of the cache is in force';
  if (message === 'Connection timeout') return 'Redis cannot be reached (timeout)';
  return find(codes, code) ?? 'the connection to Redis was closed';
}

/** Before the first answer, a server that expects TLS ends a connection without it, and one that speaks none says nothing. */
export function unanswered(error: Error, url: string): Error {
  const secure = url.startsWith('rediss:');
  const { message } = error;
  if (!secure && (message === 'Socket closed unexpectedly' || codeOf(error) === 'ECONNRESET'))
    return new UnusableRedisError('Redis ends the connection without an answer: if it expects TLS, use rediss://');
  if (secure && (message === 'Connection timeout' || error instanceof DeadlineExceededError))
    return new UnusableRedisError('Redis does not answer: if it speaks no TLS, use redis://');
  return error;
}

/** Redis has answered, with an error. */
export const isErrorReply = ({ constructor: { name } }: Error): boolean =>
  name === 'ErrorReply' || name === 'ReplyError';

/**
 * What is to be granted to the user, in the words of `ACL SETUSER`; undefined where the error is another one.
 * @param command where the error does not name it, because a script ran it
 */
export function missingRight(message: string, command?: string): string | undefined {
  const named = /permissions to run the '([a-z|]+)'/i.exec(message)?.[1];
  if (named !== undefined) return `+${named}`;
  if (!/^NOPERM|can't (?:run|publish|access)|ACL failure/.test(message)) return undefined;
  if (message.includes('channel')) return '&strata:* &{strata:*';
  if (/\bkeys?\b/.test(message)) return '~strata:* ~{strata:*';
  return command && `+${command}`;
}

export const lacks = (rights: readonly string[]): string =>
  `the user in REDIS_URL lacks rights in Redis: grant it ${[...new Set(rights)].join(' ')}`;

export const hasNo = (commands: readonly string[]): string =>
  `this Redis does not have the commands it must have (${commands.join(', ').toLowerCase()}): they are renamed, or missing`;

export function infoField(info: string, name: string): string {
  return new RegExp(`^${name}:(\\S*)`, 'm').exec(info)?.[1] ?? '';
}

const isSqlState = /^(?=.*\d)[0-9A-Z]{5}$/;

/** `WRONGTYPE`, say: the first word of an error reply is the server's own. */
const kindOf = (message: string): string => /^[A-Z]+\b/.exec(message)?.[0] ?? 'ERR';

function find(rules: readonly Rule[], text: string): string | undefined {
  for (const [pattern, reason] of rules) {
    const found = pattern.exec(text);
    if (found) return typeof reason === 'string' ? reason : reason(found[1] ?? found[0]);
  }
  return undefined;
}
