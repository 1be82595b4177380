import 'reflect-metadata';
import { type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { type ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import request from 'supertest';
import { DataSource } from 'typeorm';
import { loadSettings } from '../../src/config/index.js';
import { createMigrationDataSource } from '../../src/data-source.js';
import { migrate } from '../../src/database/index.js';
import { Lifecycle } from '../../src/http/index.js';
import { createApp } from '../../src/server.js';
import { Lease, RedisConnection } from '../../src/cache/index.js';
import { WarmingAtBoot, WarmingQueue } from '../../src/warming/index.js';
import { patience } from './patience.js';
import { createFilledDatabase, type TestDatabase } from './services.js';
import { until } from './until.js';

export interface StartAppOptions {
  /** On top of a test's defaults: silent, on a free port, with a fresh database, nothing warmed unasked. */
  readonly env?: Readonly<Record<string, string>>;
  /** Replaces providers before the application is made. */
  readonly override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
  /** Modules of the test itself, next to the service's. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** Sets the application up before it is initialised: a prefix, versions, middleware. */
  readonly configure?: (app: NestExpressApplication) => void;
  /** Providers of the root module: what is global there comes before everything of the service's modules. */
  readonly providers?: NonNullable<ModuleMetadata['providers']>;
  /** Uses Nest's own adapter, as an application does that was not made for this service. */
  readonly stockAdapter?: boolean;
  /** `REDIS_URL`; without it the service runs without Redis. */
  readonly redis?: string;
  /** The node cannot have its cache: Redis does not answer at the moment, or must not be used. */
  readonly redisIsAway?: boolean;
  /** A migrated database to share with another node; otherwise one is made and dropped. */
  readonly database?: string;
}

export interface TestApp {
  readonly app: NestExpressApplication;
  /** supertest on the listening server: `http.get('/items/1')`. */
  readonly http: ReturnType<typeof request>;
  readonly url: string;
  readonly dataSource: DataSource;
  readonly databaseUrl: string;
  close(): Promise<void>;
}

/** The whole service, listening, on a real database of its own. */
export async function startApp(options: StartAppOptions = {}): Promise<TestApp> {
  const { env = {}, override, imports = [], configure, redis, redisIsAway = false, database } = options;
  const { providers = [], stockAdapter = false } = options;
  const own = database === undefined ? await createMigratedDatabase() : undefined;
  const databaseUrl = database ?? own?.url ?? '';
  const settings = loadSettings({
    NODE_ENV: 'test',
    PORT: '0',
    LOG_LEVEL: 'silent',
    // A busy machine is no outage; tests of outages say what they want.
    ...patience,
    WARM_SCHEDULE: 'off',
    WARM_AFTER_FLUSH: 'off',
    INSPECT_EVERY_MS: '0',
    // A slot outlives its readers and keeps a database from being dropped: tests of the feed clean up after it.
    CACHE_FEED: 'off',
    DATABASE_URL: databaseUrl,
    ...(redis !== undefined && { REDIS_URL: redis }),
    ...env,
  });
  const app = await createApp(settings, async (module, adapter, nestOptions) => {
    const builder = Test.createTestingModule({ imports: [module, ...imports], providers });
    const compiled = await (override?.(builder) ?? builder).setLogger(nestOptions.logger).compile();
    const used = stockAdapter ? new ExpressAdapter() : adapter;
    const made = compiled.createNestApplication<NestExpressApplication>(used, nestOptions);
    configure?.(made);
    return made;
  });
  const server: Server = app.getHttpServer();
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await app.close();
    await own?.drop();
  };
  try {
    await app.listen(settings.port, settings.host);
    if (redis !== undefined && !redisIsAway) await until(() => hasItsCache(app));
    await app.get(WarmingAtBoot).run();
  } catch (error) {
    await close();
    throw error;
  }
  app.get(Lifecycle).become('ready');
  const { port } = server.address() as AddressInfo;
  return {
    app,
    http: request(server),
    url: `http://${settings.host}:${port}`,
    dataSource: app.get(DataSource),
    databaseUrl,
    close,
  };
}

/** Boot waits for one attempt to reach Redis only, which a busy machine may miss. */
const hasItsCache = (app: NestExpressApplication): boolean =>
  app.get(RedisConnection).state === 'closed' && app.get(Lease).valid && app.get(WarmingQueue).available;

/** A database with the schema and nothing in it. */
export const createMigratedDatabase = (): Promise<TestDatabase> => createFilledDatabase(migrateDatabase);

export async function migrateDatabase(url: string): Promise<void> {
  const dataSource = await createMigrationDataSource(url).initialize();
  await migrate(dataSource).finally(() => dataSource.destroy());
}
