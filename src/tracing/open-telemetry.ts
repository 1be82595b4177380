import { type Provider } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { RequestSpans } from './request-spans.interceptor.js';
import { Spans } from './spans.js';
import { StepSpans } from './step-spans.js';

/** Everything that loads OpenTelemetry. */
export const providers: Provider[] = [Spans, StepSpans, { provide: APP_INTERCEPTOR, useClass: RequestSpans }];
