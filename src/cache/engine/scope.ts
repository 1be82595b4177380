import { type Dependency, entityOf, type Tag } from '../core/tags.js';
import { type LayerStatus } from '../layer-status.js';
import { WorkStorage } from './work-storage.js';

/** What one answer of the db layer contributes to whatever is being made of it. */
export interface Part {
  /** Undefined: not proven (bypass, refused fill), hence nothing that contains it may be kept. */
  readonly dependencies: readonly Dependency[] | undefined;
  readonly freshMs: number;
  readonly keepMs: number;
  readonly status: LayerStatus;
  /** Its load proved nothing: it may be what its reader's own transaction has not committed, and is nobody else's. */
  readonly own?: boolean;
}

/** Who is making something out of cached parts, and wants to know which. */
export interface Collector {
  /** The client asked for a fresh answer (request `no-cache`). */
  readonly renew: boolean;
  /** Called before any command that checks one of these tags is sent. */
  watch(tags: readonly Tag[]): void;
  collect(part: Part): void;
  /** A statement was sent to the database that belongs to no load of the cache. */
  readPast(): void;
}

const storage = new WorkStorage<Collector>();

/** Runs a piece of work whose reads are collected: nobody tags a route by hand. */
export const collecting = <T>(collector: Collector, work: () => Promise<T>): Promise<T> => storage.run(collector, work);

/** Runs a piece of work that nobody collects from (background refresh, shared flights). */
export const uncollected = <T>(work: () => T): T => storage.outside(work);

export const currentCollector = (): Collector | undefined => storage.current;

/** A statement is about to be sent to the database: whatever is being made of it was not read through the cache. */
export const noteStatement = (): void => storage.current?.readPast();

/** What a load has itself read through the cache. */
export class LoadParts implements Collector {
  readonly all: Part[] = [];

  constructor(
    readonly renew: boolean,
    readonly watch: (tags: readonly Tag[]) => void,
  ) {}

  collect(part: Part): void {
    this.all.push(part);
  }

  /** The statements of a load are what it is for. */
  readPast(): void {}

  get own(): boolean {
    return this.all.some(({ own }) => own);
  }

  /** Undefined where one of them is unproven. */
  dependencies(): readonly Dependency[] | undefined {
    const proven = this.all.map(({ dependencies }) => dependencies);
    return proven.includes(undefined) ? undefined : proven.flatMap((dependencies) => dependencies ?? []);
  }

  entities(): readonly string[] {
    return this.all.flatMap(({ dependencies }) => (dependencies ?? []).map(({ tag }) => entityOf(tag)));
  }
}

/**
 * A piece of work with reads through the cache whose promise several requests share: a batch of a DataLoader, a client that
 * memoises. A promise gives its parts to the request that created it, and to nobody who awaits it later; this gives them to
 * everybody who asks for the value.
 */
export class SharedRead<T> {
  readonly #parts = new LoadParts(false, () => undefined);
  readonly #result: Promise<T>;

  constructor(work: () => Promise<T>) {
    this.#result = collecting(this.#parts, work);
    this.#result.catch(() => undefined);
  }

  async value(): Promise<T> {
    const collector = currentCollector();
    const value = await this.#result;
    for (const part of this.#parts.all) giveTo(collector, part);
    return value;
  }
}

/** The answers that are in use somewhere, with what each was made of. */
const known = new WeakMap<object, Part>();

/** Remembers what a value was made of, for as long as anybody has it. */
export function remember(value: unknown, part: Part): void {
  if (typeof value === 'object' && value !== null) known.set(value, part);
}

/** What the objects in a value were made of that came from the cache as they are, whoever has asked for them. */
export function partsIn(value: unknown, found = new Set<Part>(), seen = new Set<object>()): ReadonlySet<Part> {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) return found;
  seen.add(value);
  const part = known.get(value);
  if (part) found.add(part);
  else for (const inner of Object.values(value)) partsIn(inner, found, seen);
  return found;
}

/** A part that was read for somebody else. Where its tags were not watched while it was read, its stamps tell; without, nothing does. */
export function giveTo(collector: Collector | undefined, part: Part): void {
  const stamped = part.dependencies?.every(({ stamp }) => stamp !== '');
  collector?.watch((part.dependencies ?? []).map(({ tag }) => tag));
  collector?.collect(stamped ? part : { ...part, dependencies: undefined });
}
