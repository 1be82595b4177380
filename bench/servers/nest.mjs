// @ts-check
import 'reflect-metadata';
import { CacheInterceptor, CacheModule } from '@nestjs/cache-manager';
import { Controller, Get, Module, Param, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import helmet from 'helmet';
import { serveParent } from './start-server.mjs';

/**
 * The same item from a Nest application with nothing but the route: uncached, and behind Nest's own CacheInterceptor with
 * its store in memory. It has no log, no metrics, no validation and no database, which is in its favour.
 */
serveParent(async ({ item }) => {
  const uncached = controller('uncached', item, false);
  const cached = controller('cached', item, true);
  class Root {}
  Module({ imports: [CacheModule.register({ ttl: 3_600_000 })], controllers: [uncached, cached] })(Root);
  const app = await NestFactory.create(Root, { logger: false });
  app.use(helmet());
  await app.listen(0, '127.0.0.1');
  return app.getHttpServer();
});

/** What decorators would do. @param {string} path @param {object} item @param {boolean} isCached */
function controller(path, item, isCached) {
  class Items {
    find() {
      return item;
    }
  }
  const { prototype } = Items;
  const descriptor = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(prototype, 'find'));
  Param('id')(prototype, 'find', 0);
  Reflect.defineMetadata('design:paramtypes', [String], prototype, 'find');
  if (isCached) UseInterceptors(CacheInterceptor)(prototype, 'find', descriptor);
  Get(':id')(prototype, 'find', descriptor);
  Controller(path)(Items);
  return Items;
}
