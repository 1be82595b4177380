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
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = (): void => reject(new Error(`no answer within ${timeoutMs} ms`));
    // What came in while this process was busy is read before the connection is given up.
    timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
  });
  try {
    return await Promise.race([work, ended, late]);
  } finally {
    clearTimeout(timer);
  }
}
