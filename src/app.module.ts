import { type DynamicModule, Module } from '@nestjs/common';
import { CacheModule } from './cache/index.js';
import { ConfigModule, type Settings } from './config/index.js';
import { DatabaseModule, isDatabaseUnavailable } from './database/index.js';
import { HttpModule, unavailable } from './http/index.js';
import { InvalidationModule } from './invalidation/index.js';
import { ItemsModule } from './items/index.js';
import { WarmingModule } from './warming/index.js';

const databaseDown = (error: unknown) =>
  isDatabaseUnavailable(error) ? unavailable('The database does not answer.', error) : undefined;

/** Names every module; the order is the order in which their interceptors run. */
@Module({})
export class AppModule {
  static forRoot(settings: Settings): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(settings),
        HttpModule.forRoot({ translators: [databaseDown] }),
        DatabaseModule.forRoot(settings),
        CacheModule,
        InvalidationModule,
        WarmingModule.forRoot(settings),
        ItemsModule,
      ],
    };
  }
}
