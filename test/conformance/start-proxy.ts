import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { Global, Module } from '@nestjs/common';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import express from 'express';
import { CacheModule, Lease, RedisConnection } from '../../src/cache/index.js';
import { ConfigModule, loadSettings } from '../../src/config/index.js';
import { DatabaseModule } from '../../src/database/index.js';
import { AnswerDurations, MessagesAdapter, HealthSources, Lifecycle } from '../../src/http/index.js';
import { InvalidationModule } from '../../src/invalidation/index.js';
import { patience } from '../support/patience.js';
import { startRedis } from '../support/services.js';
import { createMigratedDatabase, startApp } from '../support/start-app.js';
import { until } from '../support/until.js';
import { type Front } from './report.js';
import { KeyedOriginProxyModule, origin, OriginProxyModule } from './origin-proxy.js';
import handleConfig from './suite/test-engine/server/handle-config.mjs';
import handleState from './suite/test-engine/server/handle-state.mjs';
import handleTest from './suite/test-engine/server/handle-test.mjs';

const offered = [AnswerDurations, HealthSources, Lifecycle];

/** What the http module offers to others, without that one's rules for bodies: this application passes on whatever comes. */
@Global()
@Module({ providers: offered, exports: offered })
class PlainHttpModule {}

/**
 * The suite's origin server, and in front of it a Nest application whose only handler is cached by the api layer, or the whole
 * service with such a handler.
 */
export async function startProxy(front: Front): Promise<{ readonly url: string; close(): Promise<void> }> {
  const closing: (() => unknown)[] = [];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const server = await startOrigin();
    closing.push(() => (server.closeAllConnections(), server.close()));
    origin.port = (server.address() as AddressInfo).port;
    const redis = await startRedis();
    closing.push(() => redis.stop());
    if (front === 'service') {
      const service = await startApp({ redis: redis.url, imports: [KeyedOriginProxyModule] });
      closing.push(() => service.close());
      return { url: service.url, close };
    }
    const database = await createMigratedDatabase();
    closing.push(() => database.drop());
    const app = await createProxy(database.url, redis.url);
    closing.push(() => app.close());
    await app.listen(0, '127.0.0.1');
    await until(() => app.get(RedisConnection).state === 'closed' && app.get(Lease).valid);
    const listening: Server = app.getHttpServer();
    closing.push(() => listening.closeAllConnections());
    return { url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function createProxy(databaseUrl: string, redisUrl: string): Promise<NestExpressApplication> {
  const settings = loadSettings({
    NODE_ENV: 'test',
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    ...patience,
    CACHE_FEED: 'off',
  });
  const proxy = await Test.createTestingModule({
    imports: [
      ConfigModule.forRoot(settings),
      PlainHttpModule,
      DatabaseModule.forRoot(settings),
      CacheModule,
      InvalidationModule,
      OriginProxyModule,
    ],
  }).compile();
  const adapter = new MessagesAdapter(express().disable('etag').disable('x-powered-by'));
  return proxy.createNestApplication<NestExpressApplication>(adapter, { bodyParser: false, logger: false });
}

async function startOrigin(): Promise<Server> {
  const handlers = new Map([
    ['config', handleConfig],
    ['test', handleTest],
    ['state', handleState],
  ]);
  const server = createServer((request, response) => {
    const [, stage = '', ...path] = new URL(request.url ?? '/', 'http://origin').pathname.split('/');
    const handle = handlers.get(stage);
    if (handle) handle(path, request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
