import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisClient } from '../../cache/index.js';

/** Rejects when the connection is gone. */
export function endOf(client: RedisClient): Promise<never> {
  const ended = new Promise<never>((_, reject) => {
    client.on('error', (error: Error) => reject(error));
    client.on('end', () => reject(new Error('the connection was closed')));
  });
  ended.catch(() => undefined);
  return ended;
}

/** @throws when the work takes longer, or the connection ends before */
export async function within<T>(timeoutMs: number, work: Promise<T>, ended: Promise<never>): Promise<T> {
  const abort = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`no answer within ${timeoutMs} ms`);
  });
  late.catch(() => undefined);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, ended, late]);
  } finally {
    abort.abort();
  }
}
