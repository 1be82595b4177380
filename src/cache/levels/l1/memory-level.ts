import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Settings } from '../../../config/index.js';
import { Clock } from '../../clock.js';
import { type Dependency, type Tag } from '../../core/tags.js';
import {
  type Address,
  type Entry,
  type Fill,
  type Filled,
  Level,
  type ReadOptions,
  type ReadResult,
  type Ticket,
} from '../level.js';
import { Lease, type Term } from './lease.js';
import { type Holder, TagIndex } from './tag-index.js';

/** What an entry costs besides its own text: map slots, index slots, objects. Measured, rounded up. */
const entryOverheadBytes = 400;
const dependencyOverheadBytes = 200;
/** Rows known to be absent cost a client nothing to ask for, so they are bounded by count, apart from real values. */
const maxNegativeEntries = 10_000;
/** No entry may push out more than this share of the level. */
const largestShare = 1 / 8;

/** An entry where it lies. What is attached to it goes with it, in the same step: it cannot be stale by itself. */
export interface Held {
  readonly body: string;
  readonly dependencies: readonly Dependency[];
  /** Monotonic. */
  readonly freshUntilMs: number;
  readonly attachment?: unknown;
}

interface StoredEntry extends Holder, Held {
  readonly term: Term;
  readonly keepUntilMs: number;
  attachment?: unknown;
  attachedBytes: number;
}

/** The placeholder of a fill under way. Whatever is invalidated while it waits makes it void. */
class Placeholder implements Ticket, Holder {
  readonly tags = new Set<Tag>();
  voided = false;

  constructor(
    readonly address: Address,
    readonly term: Term,
    readonly takenAtMs: number,
  ) {}

  void(): void {
    this.voided = true;
  }
}

/**
 * L1: this process, bounded in bytes. It serves under the lease only, and takes a fill only if its placeholder lived
 * through one and the same term of the lease without an invalidation.
 */
@Injectable()
export class MemoryLevel extends Level {
  readonly name = 'l1';
  readonly #index = new TagIndex();
  readonly #values: LRUCache<string, StoredEntry>;
  readonly #negatives: LRUCache<string, StoredEntry>;
  #evictions = 0;

  constructor(
    private readonly settings: Settings,
    private readonly lease: Lease,
    private readonly clock: Clock,
  ) {
    super();
    const dispose = (entry: StoredEntry, _key: string, reason: LRUCache.DisposeReason): void => {
      this.#index.remove(entry);
      if (reason === 'evict') this.#evictions += 1;
    };
    const maxSize = settings.cacheL1MaxBytes;
    this.#values = new LRUCache({
      maxSize,
      maxEntrySize: Math.floor(maxSize * largestShare),
      sizeCalculation: (entry, key) => sizeOf(key, entry),
      dispose,
    });
    this.#negatives = new LRUCache({ max: maxNegativeEntries, dispose });
  }

  get bytes(): number {
    return this.#values.calculatedSize;
  }

  get entries(): number {
    return this.#values.size + this.#negatives.size;
  }

  /** How many had to go because others came. */
  get evictions(): number {
    return this.#evictions;
  }

  override read(address: Address, { staleMs = 0, renew = false }: ReadOptions = {}): ReadResult {
    if (!this.settings.cacheL1) return { outcome: 'bypass', reason: 'disabled' };
    const entry = renew ? undefined : this.find(address.key, staleMs);
    if (entry) return { outcome: 'hit', entry };
    const ticket = this.take(address);
    return ticket ? { outcome: 'miss', ticket } : { outcome: 'bypass', reason: 'lease' };
  }

  /** The entry, if it may be served now. */
  find(key: string, staleMs: number): Entry | undefined {
    if (!this.settings.cacheL1) return undefined;
    const stored = this.#values.get(key) ?? this.#negatives.get(key);
    return stored && this.#covered(stored) ? this.#alive(stored, staleMs) : undefined;
  }

  /** The entry itself, if it may be served now and is fresh. */
  held(key: string): Held | undefined {
    const stored = this.settings.cacheL1 ? this.#values.get(key) : undefined;
    if (!stored || stored.freshUntilMs <= this.clock.monotonicMs()) return undefined;
    return this.#covered(stored) ? stored : undefined;
  }

  /**
   * Hangs something on an entry; its bytes count as the entry's.
   * @returns false when the entry is no longer there, or would be too large
   */
  attach(key: string, entry: Held, attachment: unknown, bytes: number): boolean {
    const stored = this.#values.peek(key);
    if (!stored || stored !== entry) return false;
    const size = sizeOf(key, { ...stored, attachedBytes: bytes });
    if (size > this.#values.maxEntrySize) return false;
    // lru-cache does not weigh a value again that it has: it goes, and comes back in the same step.
    const tags = [...stored.tags];
    this.#values.delete(key);
    stored.attachment = attachment;
    stored.attachedBytes = bytes;
    this.#values.set(key, stored);
    this.#index.add(stored, tags);
    return true;
  }

  /** An entry that no lease covers since the connection was lost: good again once its stamps have been confirmed. */
  suspect(key: string, staleMs: number): Entry | undefined {
    const stored = this.#values.get(key) ?? this.#negatives.get(key);
    return stored && !this.#covered(stored) ? this.#alive(stored, staleMs) : undefined;
  }

  #covered(stored: StoredEntry): boolean {
    return stored.term === this.lease.term && this.lease.valid;
  }

  #alive(stored: StoredEntry, staleMs: number): Entry | undefined {
    const now = this.clock.monotonicMs();
    const freshMs = stored.freshUntilMs - now;
    const keepMs = stored.keepUntilMs - now;
    if (freshMs + staleMs <= 0 || keepMs <= 0) return undefined;
    return { body: stored.body, dependencies: stored.dependencies, freshMs, keepMs };
  }

  /** A placeholder for a fill; undefined while no invalidation could reach it. */
  take(address: Address): Ticket | undefined {
    const { term } = this.lease;
    if (!this.settings.cacheL1 || !term) return undefined;
    const placeholder = new Placeholder(address, term, this.clock.monotonicMs());
    if (address.kind === 'row') this.#index.add(placeholder, [address.tag, address.coarse]);
    if (address.kind === 'query') this.#index.add(placeholder, address.tags);
    return placeholder;
  }

  /** Registers the placeholder of a fill under further tags; call it before the command that checks them is sent. */
  watch(ticket: Ticket, tags: Iterable<Tag>): void {
    if (ticket instanceof Placeholder && !ticket.voided) this.#index.add(ticket, tags);
  }

  /** @param address where to, if that was not known yet when the placeholder was taken */
  override fill(ticket: Ticket, fill: Fill, address: Address = ticket.address): Filled {
    if (!(ticket instanceof Placeholder)) return undefined;
    const { term, takenAtMs, voided } = ticket;
    const watched = (fill.dependencies ?? []).every(({ tag }) => ticket.tags.has(tag));
    this.abandon(ticket);
    if (voided || !watched || !fill.dependencies || term !== this.lease.term) return undefined;
    const store = fill.body === 'null' ? this.#negatives : this.#values;
    const entry: StoredEntry = {
      tags: new Set(),
      term,
      body: fill.body,
      dependencies: fill.dependencies,
      freshUntilMs: takenAtMs + fill.freshMs,
      keepUntilMs: takenAtMs + fill.keepMs,
      attachedBytes: 0,
      void: () => void store.delete(address.key),
    };
    this.#remove(address.key);
    store.set(address.key, entry);
    if (store.peek(address.key) !== entry) return undefined;
    this.#index.add(
      entry,
      fill.dependencies.map(({ tag }) => tag),
    );
    return fill.dependencies;
  }

  /** The fill will not come: its placeholder goes. */
  abandon(ticket: Ticket): void {
    if (ticket instanceof Placeholder) this.#index.remove(ticket);
  }

  override invalidate(tags: Iterable<Tag>): void {
    for (const tag of tags) this.#index.voidAll(tag);
  }

  /** Drops everything, fills under way included. */
  clear(): void {
    this.invalidate([...this.#index.tags]);
  }

  /** Where the inspector looks: what is kept, whether or not it may be served now. It does not count as a use. */
  peek(key: string): (Entry & { readonly leased: boolean }) | undefined {
    const stored = this.#values.peek(key) ?? this.#negatives.peek(key);
    if (!stored) return undefined;
    const { body, dependencies, term, freshUntilMs, keepUntilMs } = stored;
    const now = this.clock.monotonicMs();
    const leased = term === this.lease.term && this.lease.valid;
    return { body, dependencies, freshMs: freshUntilMs - now, keepMs: keepUntilMs - now, leased };
  }

  #remove(key: string): void {
    this.#values.delete(key);
    this.#negatives.delete(key);
  }
}

function sizeOf(key: string, { body, dependencies, attachedBytes }: StoredEntry): number {
  const texts = 2 * (key.length + body.length);
  return texts + entryOverheadBytes + dependencies.length * dependencyOverheadBytes + attachedBytes;
}
