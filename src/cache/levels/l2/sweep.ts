import { everyKey, generationInKey, namespaceOf, recordKey } from './keys.js';
import { evaluate } from './evaluate.js';
import { type RedisClient } from './redis-client.js';

const batchSize = 200;

/**
 * Removes what earlier generations left behind: unreachable, and partly without an expiry. Should another generation
 * have begun meanwhile, the script refuses, and whoever began it sweeps.
 */
export async function sweepEarlierGenerations(client: RedisClient, gen: string): Promise<void> {
  const namespace = namespaceOf(gen);
  const record = recordKey(namespace);
  let batch: string[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await evaluate(client, 'sweep', { keys: [record, ...batch], arguments: [gen] });
    batch = [];
  };
  for await (const key of client.scanIterator({ MATCH: everyKey(namespace), COUNT: batchSize })) {
    const other = generationInKey(key);
    if (other !== undefined && other !== gen) batch.push(key);
    if (batch.length >= batchSize) await flush();
  }
  await flush();
}
