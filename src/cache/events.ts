import { Injectable } from '@nestjs/common';
import { EventEmitter } from 'node:events';

export const layers = ['api', 'db'] as const;
export const levelNames = ['l1', 'l2'] as const;
export const requestResults = ['hit', 'miss', 'stale', 'bypass', 'refused'] as const;
export const invalidationSources = ['write', 'feed', 'admin', 'journal'] as const;

export type Layer = (typeof layers)[number];
export type LevelName = (typeof levelNames)[number];
export type RequestResult = (typeof requestResults)[number];
export type InvalidationSource = (typeof invalidationSources)[number];

/** Everything that the cache says about itself. Metrics, logs, tests and the dashboard only listen. */
export type CacheEvent =
  | { readonly type: 'request'; readonly layer: Layer; readonly level: LevelName; readonly result: RequestResult }
  /** Hits of the api layer's L1 that the fast lane answered since it last said so; they are in no `request` event. */
  | { readonly type: 'lane'; readonly answers: number }
  | { readonly type: 'load'; readonly seconds: number }
  | { readonly type: 'joined' }
  | { readonly type: 'invalidated'; readonly source: InvalidationSource; readonly tags: readonly string[] }
  /** L1 of this node has dropped what depends on the tags, so long after they were sent; by the sender's wall clock. */
  | {
      readonly type: 'dropped';
      readonly tags: readonly string[];
      readonly seconds: number;
      readonly sentAtMs: number;
    }
  /** Some node began a new generation: this process has dropped everything. */
  | { readonly type: 'cleared' }
  /** This node uses a generation. `writers` were running when it began: their ids, as text. */
  | {
      readonly type: 'generation';
      readonly gen: string | undefined;
      readonly fresh: boolean;
      readonly writers: readonly string[];
    }
  | {
      readonly type: 'connection';
      readonly path: 'data' | 'invalidation';
      readonly open: boolean;
      readonly reason?: string;
    }
  | { readonly type: 'breaker'; readonly level: 'l2'; readonly state: BreakerState }
  | { readonly type: 'lease'; readonly valid: boolean }
  | { readonly type: 'journal'; readonly entries: number }
  | { readonly type: 'warmed'; readonly result: WarmingResult }
  /**
   * A place that would be served was compared with the database: for how long it had been out of date (0: it was not;
   * undefined: nobody knows), and whether it was so beyond everything that its policy allows.
   */
  | {
      readonly type: 'inspected';
      readonly layer: Layer;
      readonly staleSeconds: number | undefined;
      readonly broken: boolean;
    };

/** How a warming job ended for good. */
export type WarmingResult = 'completed' | 'failed' | 'cancelled';
export type BreakerState = 'closed' | 'half-open' | 'open';

type EventOf<Type extends CacheEvent['type']> = Extract<CacheEvent, { type: Type }>;

/** Where the events go by. Emitting costs one synchronous call per listener and never throws into the cache. */
@Injectable()
export class CacheEvents {
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  readonly #listenersToAll = new Set<(event: CacheEvent) => void>();

  emit(event: CacheEvent): void {
    this.#emitter.emit(event.type, event);
    if (this.#listenersToAll.size > 0) for (const listener of this.#listenersToAll) listener(event);
  }

  /** Every event, of whatever type. Returns the function that stops listening. */
  onAll(listener: (event: CacheEvent) => void): () => void {
    this.#listenersToAll.add(listener);
    return () => this.#listenersToAll.delete(listener);
  }

  /** Returns the function that stops listening. */
  on<Type extends CacheEvent['type']>(type: Type, listener: (event: EventOf<Type>) => void): () => void {
    this.#emitter.on(type, listener);
    return () => this.#emitter.off(type, listener);
  }
}
