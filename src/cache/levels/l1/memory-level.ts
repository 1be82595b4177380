import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Settings } from '../../../config/index.js';
import { Clock, isWithin, type Moment } from '../../clock.js';
import { type Tag } from '../../core/tags.js';
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
import { Lease } from './lease.js';
import { Placeholder } from './placeholder.js';
import { type Attachment, type Servable, sizeOf, type StoredEntry } from './stored-entry.js';
import { TagIndex } from './tag-index.js';
import { UsePeriods } from './use-periods.js';

/** Rows known to be absent cost a client nothing to ask for, so they are bounded by count, apart from real values. */
const maxNegativeEntries = 10_000;
/** No entry may push out more than this share of the level. */
const largestShare = 1 / 8;

const never = (): boolean => false;

/**
 * L1: this process, bounded in bytes. It serves under a lease only (the node's, or without Redis one of the value's own), and
 * takes a fill only if its placeholder lived through one and the same term of it without an invalidation.
 */
@Injectable()
export class MemoryLevel extends Level {
  readonly name = 'l1';
  readonly #index = new TagIndex();
  readonly #values: LRUCache<string, StoredEntry>;
  readonly #negatives: LRUCache<string, StoredEntry>;
  readonly #periods: UsePeriods;
  #evictions = 0;

  constructor(
    private readonly settings: Settings,
    private readonly lease: Lease,
    private readonly clock: Clock,
  ) {
    super();
    const dispose = (entry: StoredEntry, _key: string, reason: LRUCache.DisposeReason): void => {
      this.#index.remove(entry);
      entry.attachment?.gone();
      if (reason === 'evict') this.#evictions += 1;
    };
    const maxSize = settings.cacheL1MaxBytes;
    this.#periods = new UsePeriods(maxSize);
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

  /** Entries evicted for capacity. */
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

  /** The entry, if it may be served now. @param blind whether one that was shared without Redis will do; asked for such only */
  find(key: string, staleMs: number, { blind = never } = {}): Entry | undefined {
    if (!this.settings.cacheL1) return undefined;
    const stored = this.#values.get(key) ?? this.#negatives.get(key);
    if (!stored || (stored.blindSince && !blind())) return undefined;
    return this.#covered(stored) ? this.#alive(stored, staleMs) : undefined;
  }

  /** The entry itself, if it may be served now and is fresh. */
  held(key: string, now = this.clock.now()): StoredEntry | undefined {
    const stored = this.settings.cacheL1 ? this.#values.peek(key) : undefined;
    return stored && this.serves(stored, now) ? stored : undefined;
  }

  /** Whether an entry that is here, and has not gone since, may be served now and is fresh. It counts as a use. */
  serves(stored: Servable, now: Moment): boolean {
    if (stored.freshUntilMs <= now.monotonicMs || !this.#covered(stored, now)) return false;
    const period = this.#periods.at(now);
    if (period !== stored.usedIn) {
      stored.usedIn = period;
      this.#values.get(stored.key);
    }
    return true;
  }

  /**
   * Hangs something on an entry; its bytes count as the entry's.
   * @returns false when the entry is no longer there, or would be too large: nothing hangs on it then
   */
  attach(entry: StoredEntry, attachment: Attachment): boolean {
    const { key } = entry;
    if (this.#values.peek(key) !== entry) return false;
    entry.attachment = undefined;
    if (sizeOf(key, { ...entry, attachment }) > this.#values.maxEntrySize) return false;
    // lru-cache does not weigh a value again that it has: it goes, and comes back in the same step.
    const tags = [...entry.tags];
    this.#values.delete(key);
    entry.attachment = attachment;
    this.#values.set(key, entry);
    this.#periods.filled(attachment.bytes);
    this.#index.add(entry, tags);
    return true;
  }

  /** An entry that no lease covers since the connection was lost: good again once its stamps have been confirmed. */
  suspect(key: string, staleMs: number): Entry | undefined {
    const stored = this.#values.get(key) ?? this.#negatives.get(key);
    const alive = stored && !stored.blindSince && !this.#covered(stored) ? this.#alive(stored, staleMs) : undefined;
    return alive && stored?.from ? { ...alive, from: stored.from } : alive;
  }

  #covered({ term, blindSince }: Servable, now = this.clock.now()): boolean {
    if (term !== this.lease.term) return false;
    return blindSince ? isWithin(this.settings.cacheL1LeaseMs, blindSince, now) : this.lease.isValidAt(now);
  }

  #alive(stored: StoredEntry, staleMs: number): Entry | undefined {
    const now = this.clock.monotonicMs();
    const freshMs = stored.freshUntilMs - now;
    const keepMs = stored.keepUntilMs - now;
    if (freshMs + staleMs <= 0 || keepMs <= 0) return undefined;
    return { body: stored.body, dependencies: stored.dependencies, freshMs, keepMs, blind: !!stored.blindSince };
  }

  /** A placeholder for a fill; undefined while no invalidation could reach it. */
  take(address: Address): Ticket | undefined {
    return this.lease.term ? this.#place(address, false) : undefined;
  }

  /**
   * A placeholder for what is read from the primary while there is no Redis: such a value has a lease of its own, which
   * begins now. A node that hears of nobody else's writes serves what it knew for that long anyway.
   */
  takeWithoutRedis(address: Address): Ticket | undefined {
    return this.#place(address, true);
  }

  #place(address: Address, blind: boolean): Ticket | undefined {
    if (!this.settings.cacheL1) return undefined;
    const placeholder = new Placeholder(address, this.lease.term, this.clock.now(), blind);
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
    const { term, takenAt, voided, blind } = ticket;
    const dependencies = blind ? [...ticket.tags].map((tag) => ({ tag, stamp: '' })) : fill.dependencies;
    const watched = (dependencies ?? []).every(({ tag }) => ticket.tags.has(tag));
    this.abandon(ticket);
    if (voided || !watched || !dependencies || term !== this.lease.term) return undefined;
    const atMostMs = blind ? this.settings.cacheL1LeaseMs : Infinity;
    const store = fill.body === 'null' ? this.#negatives : this.#values;
    const entry: StoredEntry = {
      key: address.key,
      tags: new Set(),
      term,
      blindSince: blind ? takenAt : undefined,
      body: fill.body,
      dependencies,
      freshUntilMs: Math.floor(takenAt.monotonicMs + Math.min(fill.freshMs, atMostMs)),
      keepUntilMs: Math.floor(takenAt.monotonicMs + Math.min(fill.keepMs, atMostMs)),
      from: fill.from,
      usedIn: this.#periods.at(takenAt),
      attachment: undefined,
      void: () => void store.delete(address.key),
    };
    this.#remove(address.key);
    store.set(address.key, entry);
    if (store.peek(address.key) !== entry) return undefined;
    if (store === this.#values) this.#periods.filled(sizeOf(address.key, entry));
    this.#index.add(
      entry,
      dependencies.map(({ tag }) => tag),
    );
    return dependencies;
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
    const { body, dependencies, from, freshUntilMs, keepUntilMs } = stored;
    const now = this.clock.monotonicMs();
    const life = { freshMs: freshUntilMs - now, keepMs: keepUntilMs - now };
    return { body, dependencies, ...life, ...(from && { from }), leased: this.#covered(stored) };
  }

  /** For the inspector, too: the keys of what goes when the tag is invalidated. */
  keysUnder(tag: Tag): string[] {
    return [...this.#index.holdersOf(tag)].flatMap((holder) => ('key' in holder ? [(holder as StoredEntry).key] : []));
  }

  /** For the inspector, too: keys in the order of their last use, latest first, to within a period. */
  keys(): Iterable<string> {
    return this.#values.keys();
  }

  #remove(key: string): void {
    this.#values.delete(key);
    this.#negatives.delete(key);
  }
}
