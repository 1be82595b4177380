import { type Server } from 'node:http';
import { type DynamicModule } from '@nestjs/common';
import { ApplicationConfig, NestFactory } from '@nestjs/core';
import { type ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { DataSource } from 'typeorm';
import { adminPathsOf } from './admin/index.js';
import { AppModule } from './app.module.js';
import { secretsOf, type Settings } from './config/index.js';
import {
  answerClientErrors,
  boundConnections,
  Bulkhead,
  MessagesAdapter,
  createExpress,
  GracefulShutdown,
  prependRequestHandler,
  oneAtATime,
  ordinaryBounds,
  layersOf,
  rateLimit,
  unlimitedBy,
} from './http/index.js';
import { isCrowded } from './database/index.js';
import { createLogger, NestLogger } from './logging/index.js';
import { setUpSwagger } from './swagger.js';

/** Makes a Nest application of the root module; tests give one that overrides providers first. */
export type Build = (
  module: DynamicModule,
  adapter: ExpressAdapter,
  options: { readonly bodyParser: false; readonly abortOnError: false; readonly logger: NestLogger },
) => Promise<NestExpressApplication>;

const build: Build = (module, adapter, options) => NestFactory.create<NestExpressApplication>(module, adapter, options);

/** The whole service, initialised but not listening. */
export async function createApp(settings: Settings, create: Build = build): Promise<NestExpressApplication> {
  const logger = createLogger({ level: settings.logLevel, secrets: secretsOf(settings) });
  const { requestTimeoutMs } = settings;
  const guard = adminPathsOf(settings, () => app.get(ApplicationConfig).getGlobalPrefix());
  const express = createExpress({ requestTimeoutMs, logger, guard });
  const adapter = new MessagesAdapter(express);
  const app: NestExpressApplication = await create(AppModule.forRoot(settings), adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: new NestLogger(logger),
  });
  setUpSwagger(app);
  const server: Server = app.getHttpServer();
  answerClientErrors(server);
  boundConnections(server, { ...ordinaryBounds, stalledMs: requestTimeoutMs, limit: settings.maxConnections });
  // Behind what is put in front of it from now on: what modules observe, and the fast lane.
  const dataSource = app.get(DataSource);
  prependRequestHandler(
    server,
    new Bulkhead(
      concurrency(settings),
      () => isCrowded(dataSource),
      unlimitedBy('load', () => layersOf(express)),
    ).handles,
  );
  try {
    await app.init();
    // In front of everything else, the fast lane included.
    if (settings.rateLimitPerMinute > 0)
      prependRequestHandler(
        server,
        rateLimit(
          settings.rateLimitPerMinute,
          () => performance.now(),
          unlimitedBy('rate', () => layersOf(express)),
        ),
      );
    const { takes, waiting } = oneAtATime(server);
    prependRequestHandler(server, takes);
    app.get(GracefulShutdown).waiting = waiting;
    return app;
  } catch (error) {
    // What has begun already (connections, subscriptions) would go on trying.
    await app.close().catch(() => undefined);
    throw error;
  }
}

/** Three times as many as can be at the database keep it busy; no more than can be there or wait for it. */
const concurrency = ({ databasePoolSize, databaseQueueSize }: Settings) => ({
  least: Math.max(3 * databasePoolSize, 30),
  most: Math.max(databasePoolSize + databaseQueueSize, 100),
});
