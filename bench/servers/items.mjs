// @ts-check
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CacheInterceptor } from '@nestjs/cache-manager';
import { UseInterceptors } from '@nestjs/common';
import { HttpAdapterHost, Reflector } from '@nestjs/core';
import { createCache } from 'cache-manager';
import { serveParent } from './start-server.mjs';

/**
 * The service as it would be with Nest's own caching: CacheInterceptor on the same route, with its store in memory, where
 * the service's caches are off.
 */
serveParent(async ({ dist, env }) => {
  const load = (/** @type {string} */ name) => import(pathToFileURL(join(dist, 'src', name)).href);
  const { ItemsController } = await load('items/items.controller.js');
  const interceptor = new CacheInterceptor(createCache({ ttl: 3_600_000 }), new Reflector());
  const { prototype } = ItemsController;
  UseInterceptors(interceptor)(prototype, 'findOne', Object.getOwnPropertyDescriptor(prototype, 'findOne') ?? {});
  const { loadSettings } = await load('config/index.js');
  const app = await (await load('server.js')).createApp(loadSettings(env));
  Object.assign(interceptor, { httpAdapterHost: app.get(HttpAdapterHost) });
  const server = app.getHttpServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return [server];
});
