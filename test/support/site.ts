import { createRedisClient, RedisConnection } from '../../src/cache/index.js';
import { hammer, isHit } from './administered-nodes.js';
import { startPostgres, startRedis, type TestPostgres, type TestRedis } from './services.js';
import { createMigratedDatabase, migrateDatabase, startApp, type TestApp } from './start-app.js';
import { until } from './until.js';

export interface Site {
  readonly postgres: TestPostgres;
  readonly redis: TestRedis;
  readonly node: TestApp;
  readonly databaseUrl: string;
}

/** A node over servers of its own, which can be killed and put back. */
export async function withSite(
  env: Record<string, string>,
  settings: readonly string[],
  work: (site: Site) => Promise<void>,
): Promise<void> {
  const [postgres, redis] = await Promise.all([startPostgres(settings), startRedis()]);
  const { url: databaseUrl } = await postgres.createDatabase();
  await migrateDatabase(databaseUrl);
  const node = await startApp({ redis: redis.url, database: databaseUrl, env });
  try {
    await work({ postgres, redis, node, databaseUrl });
  } finally {
    await node.close();
    await Promise.all([postgres.stop(), redis.stop()]);
  }
}

/** A node over a Redis of its own, whose replicas begin to copy it at once. */
export async function withRedis(
  env: Record<string, string>,
  work: (site: Omit<Site, 'postgres'>) => Promise<void>,
): Promise<void> {
  const [database, redis] = await Promise.all([createMigratedDatabase(), startRedis({ args: replicatedAtOnce })]);
  const node = await startApp({ redis: redis.url, database: database.url, env });
  try {
    await work({ redis, node, databaseUrl: database.url });
  } finally {
    await node.close();
    await Promise.all([database.drop(), redis.stop()]);
  }
}

/** Otherwise a primary waits five seconds for further replicas. */
export const replicatedAtOnce = ['--repl-diskless-sync-delay', '0'];

export const generation = ({ app }: TestApp): string | undefined => {
  const connection = app.get(RedisConnection);
  return connection.state === 'closed' ? connection.gen : undefined;
};
export const open = (node: TestApp) => until(() => generation(node) !== undefined);
export const create = async (node: TestApp): Promise<string> =>
  `/items/${(await node.http.post('/items').send(hammer).expect(201)).body.id as number}`;
/**
 * A write that ends well. Under `strict` it is refused while PostgreSQL has not confirmed the generation for a second, which a
 * machine may stand still.
 */
export const write = (node: TestApp, path: string) =>
  until(async () => (await node.http.put(path).send(hammer)).status === 200);
export const hitAt = async (node: TestApp, path: string, level: 'l1' | 'l2') =>
  until(async () => isHit(String((await node.http.get(path)).headers['cache-status']), level));
export const versionAt = async (node: TestApp, path: string): Promise<number | undefined> =>
  (await node.http.get(path)).body.version as number | undefined;
export async function command(redis: TestRedis, ...words: string[]): Promise<unknown> {
  const client = createRedisClient(redis.url, 5_000);
  await client.connect();
  try {
    return await client.sendCommand(words);
  } finally {
    await client.disconnect().catch(() => undefined);
  }
}
