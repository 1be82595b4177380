import { type Lifetime } from '../core/freshness.js';
import { type Dependency, type Tag } from '../core/tags.js';
import { type LevelName } from '../events.js';
import { type Unavailability } from '../cache.errors.js';

/**
 * What an entry is addressed by. A row lives under its own tag; a query's tags are known beforehand; the tags of a
 * response are collected while it is made.
 */
export type Address =
  | { readonly kind: 'row'; readonly key: string; readonly tag: Tag; readonly coarse: Tag }
  | { readonly kind: 'query'; readonly key: string; readonly tags: readonly Tag[] }
  | { readonly kind: 'response'; readonly key: string };

/** A cached value, serialised, with the generations that it was made under. */
export interface Entry {
  /** JSON text; `null` is a value (a row known to be absent). */
  readonly body: string;
  readonly dependencies: readonly Dependency[];
  /** From now; negative once stale. */
  readonly freshMs: number;
  /** From now. */
  readonly keepMs: number;
  /** Proven by nothing but its age: what is made of it may not be kept. */
  readonly blind?: boolean;
  /** The level that it was copied from; none: it was made on this node. */
  readonly from?: LevelName;
}

/** The right to fill: what a level remembers of a miss, so that a later fill can be judged. */
export interface Ticket {
  readonly address: Address;
}

export type ReadResult =
  | { readonly outcome: 'hit'; readonly entry: Entry }
  | {
      readonly outcome: 'miss';
      readonly ticket: Ticket;
      /** Another reader, perhaps of another node, is loading it already. */
      readonly loading?: boolean;
    }
  | { readonly outcome: 'bypass'; readonly reason: Unavailability };

export interface ReadOptions {
  /** How long past freshness an entry still is a hit, in ms. */
  readonly staleMs?: number;
  /** Take a ticket although there may be an entry. */
  readonly renew?: boolean;
  /** Told the tags of an entry that is about to be verified: the moment to register a placeholder under them. */
  readonly watch?: (tags: readonly Tag[]) => void;
}

export interface Fill extends Lifetime {
  readonly body: string;
  /** Text of the snapshot of the load; without it, the dependencies must have been proven by their parts. */
  readonly snapshot?: string | undefined;
  readonly dependencies?: readonly Dependency[];
  /** Of a query: what it depends on besides its own tags. */
  readonly further?: readonly Dependency[];
  /** As of an entry. */
  readonly from?: LevelName;
}

/** The dependencies under which a value was accepted; undefined where the fill was refused. */
export type Filled = readonly Dependency[] | undefined;

/**
 * One place that keeps entries. What was filled is read back until it expires or one of its tags is invalidated; a fill
 * whose ticket is older than such an invalidation is refused.
 */
export abstract class Level {
  abstract readonly name: LevelName;

  abstract read(address: Address, options?: ReadOptions): ReadResult | Promise<ReadResult>;

  abstract fill(ticket: Ticket, fill: Fill): Filled | Promise<Filled>;

  /** Makes every entry that depends on one of the tags unservable, now and for fills under way. */
  abstract invalidate(tags: readonly Tag[]): void | Promise<void>;
}
