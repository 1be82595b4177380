import { Deadlines, type RedisClient } from '../../cache/index.js';

/** Rejects when the connection is gone. */
export function endOf(client: RedisClient): Promise<never> {
  const ended = new Promise<never>((_, reject) => {
    client.on('error', (error: Error) => reject(error));
    client.on('end', () => reject(new Error('the connection was closed')));
  });
  ended.catch(() => undefined);
  return ended;
}

/** @throws when the work takes longer, in this process's own time, or the connection ends before */
export function within<T>(timeoutMs: number, work: Promise<T>, ended: Promise<never>): Promise<T> {
  return Promise.race([new Deadlines(timeoutMs).bound(work), ended]);
}
