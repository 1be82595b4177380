import { tracingChannel } from 'node:diagnostics_channel';
import { type LayerStatus } from './layer-status.js';
import { type Layer, type LevelName } from './events.js';

/** Values of closed sets, numbers and switches. */
export type StepResult = Readonly<Record<string, string | number | boolean | undefined>>;

/** A part of a request that takes time of its own: what is done, and for which key. */
export interface Step<T = unknown> {
  readonly name: 'layer' | 'level' | 'load' | 'fill' | 'fence';
  readonly layer?: Layer;
  readonly level?: LevelName;
  readonly key?: string;
  /** How many tags it concerns. */
  readonly tags?: number;
  /** What came of it; asked only if somebody listens. */
  readonly resultOf?: (value: T) => StepResult;
}

/** Steps go by here; whoever listens may run each inside of something of its own. Nobody does unless traces are wanted. */
export const steps = tracingChannel<unknown, Step>('strata:step');

/** Does a step. Where nobody listens it costs its description and a comparison. */
export function step<T>(what: Step<T>, work: () => Promise<T>): Promise<T> {
  return steps.start.hasSubscribers ? steps.tracePromise(async () => work(), what as Step) : work();
}

/** What a layer did with a read, as a step's result. */
export function layerResult(status: LayerStatus): StepResult {
  const { policy } = status;
  if (status.hit) return { result: status.ttlMs > 0 ? 'hit' : 'stale', level: status.level, policy };
  const { forward, stored, collapsed, detail } = status;
  return { result: forward, stored, collapsed, detail, policy };
}
