import { type PolicyName, weakest, weakestOf } from '../../policies/index.js';
import { type Lifetime, narrower } from '../core/freshness.js';
import { type Dependency, type Tag } from '../core/tags.js';
import { type Collector, giveTo, type Part, partsIn } from '../engine/scope.js';
import { type LayerStatus, worst } from '../layer-status.js';
import { type Ticket } from '../levels/level.js';
import { type MemoryLevel } from '../levels/l1/memory-level.js';

/** Gathers what one response is made of, while its handler runs. */
export class PartCollector implements Collector {
  readonly #parts: Part[] = [];
  #past = false;

  constructor(
    readonly renew: boolean,
    private readonly l1: MemoryLevel,
    private readonly placeholder: Ticket | undefined,
    /** What it depends on whatever it reads. */
    private readonly before: readonly Dependency[] = [],
  ) {}

  /** Whether anything was read through the cache. */
  get any(): boolean {
    return this.#parts.length > 0;
  }

  watch(tags: readonly Tag[]): void {
    if (this.placeholder) this.l1.watch(this.placeholder, tags);
  }

  collect(part: Part): void {
    this.#parts.push(part);
  }

  readPast(): void {
    this.#past = true;
  }

  /** Takes in what the value contains that another request has read: they share its promise. */
  adopt(value: unknown): void {
    for (const part of partsIn(value)) if (!this.#parts.includes(part)) giveTo(this, part);
  }

  /** Whether the database was read past the cache beside cached parts: nothing was proven of that. */
  get mixed(): boolean {
    return this.#past && this.any;
  }

  /** Whether a part is the request's own, and nobody else's. */
  get own(): boolean {
    return this.#parts.some(({ own }) => own);
  }

  /** What the response depends on; undefined if a part is unproven, or two parts saw different generations of a tag. */
  dependencies(): readonly Dependency[] | undefined {
    const stamps = new Map<Tag, string>(this.before.map(({ tag, stamp }) => [tag, stamp]));
    for (const { dependencies } of this.#parts) {
      if (!dependencies) return undefined;
      for (const { tag, stamp } of dependencies) {
        if ((stamps.get(tag) ?? stamp) !== stamp) return undefined;
        stamps.set(tag, stamp);
      }
    }
    return stamps.size === 0 ? undefined : [...stamps].map(([tag, stamp]) => ({ tag, stamp }));
  }

  /** The smallest lifetime of its parts. */
  lifetime(): Lifetime {
    return this.#parts.reduce<Lifetime>(narrower, { freshMs: Infinity, keepMs: Infinity });
  }

  /** The worst of its reads. */
  status(): LayerStatus | undefined {
    return worst(this.#parts.map(({ status }) => status));
  }

  /**
   * A response promises what its weakest part does; one that was read past
   * the cache, beside them or without any, that it is no older than its lifetime.
   */
  policy(): PolicyName | undefined {
    if (this.mixed) return weakest;
    const none = this.before.length > 0 && !this.any ? weakest : undefined;
    return weakestOf(this.#parts.flatMap(({ status: { policy } }) => policy ?? [])) ?? none;
  }
}
