import { CacheModule as CacheManagerModule } from '@nestjs/cache-manager';
import { type DynamicModule, Global, Module, type NestModule } from '@nestjs/common';
import { APP_INTERCEPTOR, DiscoveryModule } from '@nestjs/core';
import { KeyvAdapter } from 'cache-manager';
import { Settings } from '../config/index.js';
import { CacheResponseInterceptor } from './api/cache-response.interceptor.js';
import { InterceptorOrder } from './api/interceptor-order.js';
import { FastLane } from './api/lane/fast-lane.js';
import { LaneTally } from './api/lane/lane-tally.js';
import { FreeRoutes } from './api/lane/free-routes.js';
import { Recorder } from './api/lane/recorder.js';
import { Representations } from './api/representations.js';
import { CachedRoutes } from './api/cached-routes.js';
import { ResponseCache } from './api/response-cache.js';
import { ResponseLevels } from './api/response-levels.js';
import { ResponseMaker } from './api/response-maker.js';
import { RoutePlaces } from './api/route-places.js';
import { UnsafeRequestsInterceptor } from './api/unsafe-requests.interceptor.js';
import { ValueStore } from './cache-manager/value-store.js';
import { Clock, SystemClock } from './clock.js';
import { CacheCounters } from './counters.js';
import { ReadThrough } from './engine/read-through.js';
import { WarmFill } from './engine/warm-fill.js';
import { CacheEvents } from './events.js';
import { CacheInspector } from './inspection/cache-inspector.js';
import { Inspectables } from './inspection/inspectable.js';
import { RedisInspector } from './inspection/redis-inspector.js';
import { Lease } from './levels/l1/lease.js';
import { MemoryLevel } from './levels/l1/memory-level.js';
import { EarlierWriters } from './levels/l2/earlier-writers.js';
import { GenerationRecord } from './levels/l2/generation.js';
import { Namespace } from './levels/l2/namespace.js';
import { RedisFaults } from './levels/l2/redis-faults.js';
import { RedisConnection } from './levels/l2/redis-connection.js';
import { RedisLevel } from './levels/l2/redis-level.js';
import { RedisTags } from './levels/l2/redis-tags.js';
import { type EntityRule, EntityRules } from './rules.js';

const providers = [
  { provide: Clock, useClass: SystemClock },
  CacheEvents,
  CacheCounters,
  EntityRules,
  Lease,
  MemoryLevel,
  Namespace,
  GenerationRecord,
  EarlierWriters,
  RedisFaults,
  RedisConnection,
  RedisTags,
  RedisLevel,
  ReadThrough,
  WarmFill,
  CachedRoutes,
  ResponseLevels,
  ResponseMaker,
  ResponseCache,
  Representations,
  LaneTally,
  FreeRoutes,
  RoutePlaces,
  Recorder,
  FastLane,
  ValueStore,
  Inspectables,
  RedisInspector,
  CacheInspector,
];

/** Levels and engine. Needs a `PolicySource`, which the invalidation module offers. */
@Global()
@Module({ imports: [DiscoveryModule], providers, exports: providers })
class CacheCoreModule {}

@Module({})
class CachedEntityModule {}

/** The two cache layers, each over L1 and L2; and CACHE_MANAGER, app-wide, over the same levels. */
@Module({
  imports: [
    CacheCoreModule,
    CacheManagerModule.registerAsync({
      isGlobal: true,
      inject: [ValueStore, Settings],
      useFactory: (store: ValueStore, settings: Settings) => ({
        stores: [new KeyvAdapter(store)],
        ttl: settings.cacheTtlMs,
      }),
    }),
  ],
  providers: [
    InterceptorOrder,
    { provide: APP_INTERCEPTOR, useClass: UnsafeRequestsInterceptor },
    { provide: APP_INTERCEPTOR, useClass: CacheResponseInterceptor },
  ],
})
export class CacheModule implements NestModule {
  constructor(private readonly interceptors: InterceptorOrder) {}

  /** Nest's last call before it makes the routes. */
  configure(): void {
    this.interceptors.establish();
  }

  /** Declares an entity cached. */
  static forEntity<Row extends object>(rule: EntityRule<Row>): DynamicModule {
    return {
      module: CachedEntityModule,
      providers: [
        {
          provide: `cached entity ${rule.entity}`,
          inject: [EntityRules],
          useFactory: (rules: EntityRules) => rules.add(rule),
        },
      ],
    };
  }
}
