import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { AnswerDurations } from './answer-durations.js';
import { ContentInterceptor } from './content.interceptor.js';
import { ExactQueryInterceptor } from './exact-query.interceptor.js';
import { GracefulShutdown } from './graceful-shutdown.js';
import { HealthSources } from './health-sources.js';
import { Lifecycle } from './lifecycle.js';
import { ProblemFilter } from './problem.filter.js';
import { type ErrorTranslator } from './to-problem.js';
import { ValidationPipe } from './validation.pipe.js';

/** What every answer has in common. Import it first: its interceptor must run before those of other modules. */
@Module({})
export class HttpModule {
  static forRoot({ translators }: { readonly translators: readonly ErrorTranslator[] }): DynamicModule {
    return {
      module: HttpModule,
      global: true,
      providers: [
        Lifecycle,
        HealthSources,
        AnswerDurations,
        GracefulShutdown,
        { provide: APP_FILTER, useValue: new ProblemFilter(translators) },
        { provide: APP_INTERCEPTOR, useClass: ContentInterceptor },
        { provide: APP_INTERCEPTOR, useClass: ExactQueryInterceptor },
        { provide: APP_PIPE, useClass: ValidationPipe },
      ],
      exports: [Lifecycle, HealthSources, AnswerDurations],
    };
  }
}
