import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  CacheEvents,
  GenerationRecord,
  Lease,
  LevelUnavailableError,
  MemoryLevel,
  Namespace,
  RedisConnection,
  RedisFaults,
  RedisLevel,
  RedisTags,
  SystemClock,
} from '../../src/cache/testing.js';
import { loadSettings, type Settings } from '../../src/config/index.js';
import { FakeClock } from './fake-clock.js';
import { patience } from './patience.js';
import { until } from './until.js';

export interface CacheNode {
  readonly settings: Settings;
  readonly clock: FakeClock;
  readonly events: CacheEvents;
  readonly lease: Lease;
  readonly l1: MemoryLevel;
  readonly connection: RedisConnection;
  readonly namespace: Namespace;
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
    ...patience,
    CACHE_L1_LEASE_MS: '1000',
    ...env,
  });
  const dataSource = await new DataSource({ type: 'postgres', url: databaseUrl }).initialize();
  const events = new CacheEvents();
  const clock = new FakeClock();
  const lease = new Lease(settings, clock, events);
  const namespace = new Namespace(settings, dataSource);
  const record = new GenerationRecord(dataSource, events, new SystemClock(), namespace);
  const connection = new RedisConnection(settings, record, new RedisFaults(), events);
  const tags = new RedisTags(settings, connection, clock);
  await connection.onModuleInit();
  // It attempts once, and goes on behind our back.
  await until(() => connection.state === 'closed');
  return {
    settings,
    clock,
    events,
    lease,
    l1: new MemoryLevel(settings, lease, clock),
    connection,
    namespace,
    tags,
    l2: new RedisLevel(settings, connection, tags),
    dataSource,
    async close() {
      connection.onApplicationShutdown();
      await dataSource.destroy();
    },
  };
}

/** Begins a new generation. It has a second for that, which a machine may stand still: then it is asked again. */
export async function renewGeneration(connection: RedisConnection): Promise<void> {
  await until(() =>
    connection.renewGeneration().then(
      () => true,
      (error: unknown) => {
        if (error instanceof LevelUnavailableError) return false;
        throw error;
      },
    ),
  );
}
