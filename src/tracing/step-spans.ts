import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type Attributes, type Span, SpanStatusCode } from '@opentelemetry/api';
import { type Step, type StepResult, steps } from '../cache/index.js';
import { Spans } from './spans.js';

/** A step that is over: Node has added what it came to. */
type Ended = Step & { readonly result?: unknown; readonly error?: unknown };

/** A span for each step of the cache, inside of that of the request or step which it is part of. */
@Injectable()
export class StepSpans implements OnModuleInit, OnApplicationShutdown {
  readonly #spans = new WeakMap<object, Span>();

  constructor(private readonly spans: Spans) {}

  onModuleInit(): void {
    steps.start.bindStore(this.spans.storage, this.#begin);
    steps.asyncEnd.subscribe(this.#end);
  }

  onApplicationShutdown(): void {
    steps.start.unbindStore(this.spans.storage);
    steps.asyncEnd.unsubscribe(this.#end);
  }

  readonly #begin = (step: Step): Span => {
    const { name, layer, level, key, tags } = step;
    const span = this.spans.begin(nameOf(step), { attributes: prefixed({ step: name, layer, level, key, tags }) });
    this.#spans.set(step, span);
    return span;
  };

  readonly #end = (message: unknown): void => {
    const step = message as Ended;
    const span = this.#spans.get(step);
    if (!span) return;
    if (step.error === undefined) span.setAttributes(prefixed(step.resultOf?.(step.result) ?? {}));
    else fail(span, step.error as Error);
    this.spans.end(span);
  };
}

function fail(span: Span, error: Error): void {
  span.recordException(error);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Of closed sets, never a key: `layer api`, `level l2`, `load`. */
const nameOf = ({ name, layer, level }: Step): string => [name, layer ?? level].filter(Boolean).join(' ');

function prefixed(values: StepResult): Attributes {
  const known = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known.map(([name, value]) => [`strata.${name}`, value]));
}
