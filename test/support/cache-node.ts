import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  CacheEvents,
  GenerationRecord,
  Lease,
  MemoryLevel,
  RedisConnection,
  RedisLevel,
  RedisTags,
  SystemClock,
} from '../../src/cache/testing.js';
import { loadSettings, type Settings } from '../../src/config/index.js';
import { FakeClock } from './fake-clock.js';

export interface CacheNode {
  readonly settings: Settings;
  readonly clock: FakeClock;
  readonly events: CacheEvents;
  readonly lease: Lease;
  readonly l1: MemoryLevel;
  readonly connection: RedisConnection;
  readonly tags: RedisTags;
  readonly l2: RedisLevel;
  readonly dataSource: DataSource;
  close(): Promise<void>;
}

/** The levels of one node without the application around them: real servers, a clock that is told. */
export async function startCacheNode(
  databaseUrl: string,
  redisUrl: string,
  env: Readonly<Record<string, string>> = {},
): Promise<CacheNode> {
  Logger.overrideLogger(false);
  const settings = loadSettings({
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    CACHE_TTL_JITTER: '0',
    REDIS_TIMEOUT_MS: '5000',
    ...env,
  });
  const dataSource = await new DataSource({ type: 'postgres', url: databaseUrl }).initialize();
  const events = new CacheEvents();
  const clock = new FakeClock();
  const lease = new Lease(settings, clock, events);
  const connection = new RedisConnection(settings, new GenerationRecord(dataSource, events, new SystemClock()), events);
  const tags = new RedisTags(settings, connection, clock);
  await connection.onModuleInit();
  return {
    settings,
    clock,
    events,
    lease,
    l1: new MemoryLevel(settings, lease, clock),
    connection,
    tags,
    l2: new RedisLevel(settings, connection, tags),
    dataSource,
    async close() {
      connection.onApplicationShutdown();
      await dataSource.destroy();
    },
  };
}
