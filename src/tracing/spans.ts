import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { type Context, diag, DiagLogLevel, ROOT_CONTEXT, type Span, type SpanOptions, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long the last spans may take to be delivered; closing must not wait for a collector that is away. */
const flushMs = 2_000;

/**
 * Spans, and which of them a piece of work belongs to. Name, sampler, headers and the rest are OpenTelemetry's to read
 * from its own variables. While no span is open, work is not followed: what that costs would be paid by the fast lane.
 */
@Injectable()
export class Spans implements OnApplicationShutdown {
  readonly #logger = new Logger('Tracing');
  /** The span that work under way belongs to. */
  readonly storage = new AsyncLocalStorage<unknown>();
  readonly #provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'strata' }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  readonly #tracer = this.#provider.getTracer('strata');
  #open = 0;

  constructor() {
    const warn = (text: string) => this.#logger.warn(text);
    const ignore = () => undefined;
    diag.setLogger(
      { error: warn, warn, info: ignore, debug: ignore, verbose: ignore },
      {
        logLevel: DiagLogLevel.WARN,
        suppressOverrideMessage: true,
      },
    );
  }

  /** @param remote what called this service, where it says so; otherwise the span belongs to the work under way */
  begin(name: string, options: SpanOptions, remote?: Context): Span {
    this.#open += 1;
    const parent = this.storage.getStore() as Span | undefined;
    return this.#tracer.startSpan(
      name,
      options,
      remote ?? (parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT),
    );
  }

  end(span: Span): void {
    span.end();
    this.#open -= 1;
    if (this.#open === 0) this.storage.disable();
  }

  async onApplicationShutdown(): Promise<void> {
    const late = new AbortController();
    const timeout = sleep(flushMs, undefined, { signal: late.signal }).catch(ignoreAbort);
    await Promise.race([this.#provider.shutdown().catch(() => undefined), timeout]);
    late.abort();
    diag.disable();
  }
}

const ignoreAbort = (): void => undefined;
