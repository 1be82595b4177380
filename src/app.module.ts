import { type DynamicModule, Module } from '@nestjs/common';
import { AdminModule } from './admin/index.js';
import { CacheModule, LevelUnavailableError } from './cache/index.js';
import { ConfigModule, type Settings } from './config/index.js';
import { DatabaseModule, isDatabaseUnavailable } from './database/index.js';
import { HealthModule } from './health/index.js';
import { HttpModule, unavailable } from './http/index.js';
import { InvalidationModule } from './invalidation/index.js';
import { ItemsModule } from './items/index.js';
import { MetricsModule } from './metrics/index.js';
import { TracingModule } from './tracing/index.js';
import { WarmingModule } from './warming/index.js';
import { WorkersModule } from './workers/index.js';

const databaseDown = (error: unknown) =>
  isDatabaseUnavailable(error) ? unavailable('The database does not answer.', error) : undefined;

const redisDown = (error: unknown) =>
  error instanceof LevelUnavailableError ? unavailable('Redis does not answer.', error) : undefined;

/** Names every module; the order is the order in which their interceptors run. */
@Module({})
export class AppModule {
  static forRoot(settings: Settings): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(settings),
        WorkersModule,
        TracingModule.forRoot(settings),
        HttpModule.forRoot({ translators: [databaseDown, redisDown] }),
        DatabaseModule.forRoot(settings),
        CacheModule,
        InvalidationModule,
        WarmingModule.forRoot(settings),
        ItemsModule,
        AdminModule.forRoot(settings),
        MetricsModule,
        HealthModule,
      ],
    };
  }
}
