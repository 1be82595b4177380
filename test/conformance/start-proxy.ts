import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import express from 'express';
import { CacheModule } from '../../src/cache/index.js';
import { ConfigModule, loadSettings } from '../../src/config/index.js';
import { DatabaseModule } from '../../src/database/index.js';
import { BytesAdapter } from '../../src/http/index.js';
import { InvalidationModule } from '../../src/invalidation/index.js';
import { startRedis } from '../support/services.js';
import { createMigratedDatabase } from '../support/start-app.js';
import { origin, OriginProxyModule } from './origin-proxy.js';
import handleConfig from './suite/test-engine/server/handle-config.mjs';
import handleState from './suite/test-engine/server/handle-state.mjs';
import handleTest from './suite/test-engine/server/handle-test.mjs';

/** The suite's origin server, and in front of it a Nest application whose only handler is cached by the api layer. */
export async function startProxy(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const redis = await startRedis();
  const database = await createMigratedDatabase();
  const server = await startOrigin();
  origin.port = (server.address() as AddressInfo).port;
  const settings = loadSettings({
    NODE_ENV: 'test',
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    REDIS_TIMEOUT_MS: '5000',
  });
  const proxy = await Test.createTestingModule({
    imports: [
      ConfigModule.forRoot(settings),
      DatabaseModule.forRoot(settings),
      CacheModule,
      InvalidationModule,
      OriginProxyModule,
    ],
  }).compile();
  const front = express().disable('etag').disable('x-powered-by');
  const app = proxy.createNestApplication<NestExpressApplication>(new BytesAdapter(front), {
    bodyParser: false,
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      app.getHttpServer().closeAllConnections();
      await app.close();
      server.closeAllConnections();
      server.close();
      await database.drop();
      await redis.stop();
    },
  };
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
