import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { AnswerDurations } from './answer/answer-durations.js';
import { ContentInterceptor } from './answer/content.interceptor.js';
import { ExactQueryInterceptor } from './request/exact-query.interceptor.js';
import { GracefulShutdown } from './lifecycle/graceful-shutdown.js';
import { HealthSources } from './lifecycle/health-sources.js';
import { Lifecycle } from './lifecycle/lifecycle.js';
import { ProblemFilter } from './answer/problem.filter.js';
import { type ErrorTranslator } from './answer/to-problem.js';
import { ValidationPipe } from './request/validation.pipe.js';

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
