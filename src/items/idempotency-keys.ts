import { createHash } from 'node:crypto';
import { type EntityManager } from 'typeorm';
import { badRequest } from '../http/index.js';
import { type ItemView } from './item.view.js';
import { keyUsedForAnotherBody } from './items.errors.js';

/** How long an answer is kept for a retry. */
const keptFor = '24 hours';
/** Every request with a key clears away at most so many expired ones: no timer needed, and the table stays small. */
const sweepAtMost = 20;

/** @throws 400 unless the header is 1 to 255 visible ASCII characters */
export function parseIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined || /^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw badRequest({ in: 'header', field: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' });
}

/**
 * Answers a request once per key: the key is claimed, and its answer stored, in the transaction that does the work, so
 * that neither exists without the other. A concurrent duplicate waits at the claim until the first one has committed.
 * @throws 422 when the key belongs to another request
 */
export async function oncePerKey(
  manager: EntityManager,
  key: string,
  request: unknown,
  work: () => Promise<ItemView>,
): Promise<ItemView> {
  const hash = createHash('sha256').update(JSON.stringify(request)).digest('hex');
  if (!(await claim(manager, key, hash))) return replay(manager, key, hash);
  const answer = await work();
  await manager.query('UPDATE idempotency_keys SET answer = $2 WHERE key = $1', [key, JSON.stringify(answer)]);
  await sweep(manager);
  return answer;
}

/** Whether the key is now ours: it was free, or its time was up. */
async function claim(manager: EntityManager, key: string, hash: string): Promise<boolean> {
  const claimed = await manager.query<unknown[]>(
    `INSERT INTO idempotency_keys AS k (key, request_hash) VALUES ($1, $2)
     ON CONFLICT (key) DO UPDATE SET request_hash = excluded.request_hash, created_at = now(), answer = NULL
       WHERE k.created_at < now() - interval '${keptFor}'
     RETURNING key`,
    [key, hash],
  );
  return claimed.length > 0;
}

async function replay(manager: EntityManager, key: string, hash: string): Promise<ItemView> {
  const [stored] = await manager.query<{ request_hash: string; answer: string }[]>(
    'SELECT request_hash, answer FROM idempotency_keys WHERE key = $1',
    [key],
  );
  if (stored?.request_hash !== hash) throw keyUsedForAnotherBody();
  return JSON.parse(stored.answer) as ItemView;
}

async function sweep(manager: EntityManager): Promise<void> {
  await manager.query(
    `DELETE FROM idempotency_keys WHERE key IN (
       SELECT key FROM idempotency_keys WHERE created_at < now() - interval '${keptFor}'
       ORDER BY created_at LIMIT ${sweepAtMost} FOR UPDATE SKIP LOCKED)`,
  );
}
