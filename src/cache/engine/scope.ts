import { type Dependency, type Tag } from '../core/tags.js';
import { type LayerStatus } from '../api/cache-status.js';
import { WorkStorage } from './work-storage.js';

/** What one answer of the db layer contributes to whatever is being made of it. */
export interface Part {
  /** Undefined: not proven (bypass, refused fill), hence nothing that contains it may be kept. */
  readonly dependencies: readonly Dependency[] | undefined;
  readonly freshMs: number;
  readonly keepMs: number;
  readonly status: LayerStatus;
}

/** Who is making something out of cached parts, and wants to know which. */
export interface Collector {
  /** The client asked for a fresh answer (request `no-cache`). */
  readonly renew: boolean;
  /** Called before any command that checks one of these tags is sent. */
  watch(tags: readonly Tag[]): void;
  collect(part: Part): void;
}

const storage = new WorkStorage<Collector>();

/** Runs a piece of work whose reads are collected: nobody tags a route by hand. */
export const collecting = <T>(collector: Collector, work: () => Promise<T>): Promise<T> => storage.run(collector, work);

/** Runs a piece of work that nobody collects from (background refresh, shared flights). */
export const uncollected = <T>(work: () => T): T => storage.outside(work);

export const currentCollector = (): Collector | undefined => storage.current;
