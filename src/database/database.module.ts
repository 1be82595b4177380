import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dataSourceOptions, type DatabaseSettings } from './data-source-options.js';

/** Four attempts, three seconds apart: a database that starts together with the service is waited for, no longer. */
const retryAttempts = 4;
const retryDelay = 3_000;

/** The connection pool; entities register themselves through `TypeOrmModule.forFeature`. */
@Module({})
export class DatabaseModule {
  static forRoot(settings: DatabaseSettings): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRoot({ ...dataSourceOptions(settings), autoLoadEntities: true, retryAttempts, retryDelay }),
      ],
    };
  }
}
