import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { defaultTextMapGetter, ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { type Request, type Response } from 'express';
import { Observable } from 'rxjs';
import { EveryRequest, Skippable } from '../http/index.js';
import { Spans } from './spans.js';

const propagator = new W3CTraceContextPropagator();

/**
 * A span for each request that Nest handles, in the trace of whoever called (W3C Trace Context). Hits of the fast lane
 * have none: Nest never sees them.
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 */
@Injectable()
@Skippable()
@EveryRequest()
export class RequestSpans implements NestInterceptor {
  constructor(private readonly spans: Spans) {}

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const { method, path } = request;
    const route = (request.route as { readonly path: string }).path;
    const attributes = { 'http.request.method': method, 'http.route': route, 'url.path': path };
    const caller = propagator.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter);
    const span = this.spans.begin(`${method} ${route}`, { kind: SpanKind.SERVER, attributes }, caller);
    response.once('close', () => {
      span.setAttribute('http.response.status_code', response.statusCode);
      if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      this.spans.end(span);
    });
    return new Observable((subscriber) => this.spans.storage.run(span, () => next.handle().subscribe(subscriber)));
  }
}
