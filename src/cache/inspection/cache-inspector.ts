import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { LevelUnavailableError, type Unavailability } from '../cache.errors.js';
import { type Tag } from '../core/tags.js';
import { type Layer } from '../events.js';
import { MemoryLevel } from '../levels/l1/memory-level.js';
import { RedisConnection } from '../levels/l2/redis-connection.js';
import { type Address, type Entry } from '../levels/level.js';
import { responseAddress } from '../engine/addresses.js';
import { type Subject } from './inspectable.js';
import { RedisInspector, type TagReport } from './redis-inspector.js';

/** An entry as it is kept. Past freshness it is stale; if not valid, it is never served. */
export interface KeptEntry extends Entry {
  /** L1: under a running lease; L2: all its stamps are the current ones, and no writer is pending. */
  readonly valid: boolean;
}

/** What one level says of one entry: why it cannot say anything, or what it keeps. */
export type LevelState = { readonly unavailable: Unavailability } | { readonly entry: KeptEntry | undefined };

/** What this process keeps that goes with a tag. */
export interface Dependents {
  readonly tag: Tag;
  readonly count: number;
  /** Some of them. */
  readonly keys: readonly string[];
}

const mostKeys = 10;
/** The size of the sample, as a multiple of the number of keys to show. */
const fewOf = 50;

export interface EntryReport {
  readonly layers: Readonly<Record<Layer, { readonly l1: LevelState; readonly l2: LevelState }>>;
  /** The state of every tag that plays a part; undefined while Redis does not answer. */
  readonly tags: readonly TagReport[] | undefined;
}

/** Where something is kept, at each layer and level. Looking changes nothing: no ticket, no stamp, no use is counted. */
@Injectable()
export class CacheInspector {
  constructor(
    private readonly settings: Settings,
    private readonly l1: MemoryLevel,
    private readonly connection: RedisConnection,
    private readonly l2: RedisInspector,
  ) {}

  async look({ path, address }: Subject): Promise<EntryReport> {
    const addresses = { api: responseAddress(path), db: address };
    const near = { api: this.#near(addresses.api), db: this.#near(addresses.db) };
    const own = address.kind === 'row' ? [address.tag, address.coarse] : address.tags;
    const far = await this.#far(addresses, own);
    return {
      layers: { api: { l1: near.api, l2: far.api }, db: { l1: near.db, l2: far.db } },
      tags: far.tags,
    };
  }

  /** What goes from L1 of this process with each of the tags; those of which nothing is kept are left out. */
  dependents(tags: readonly Tag[]): Dependents[] {
    return tags.flatMap((tag) => {
      const keys = this.l1.keysUnder(tag);
      return keys.length === 0 ? [] : [{ tag, count: keys.length, keys: keys.slice(0, mostKeys) }];
    });
  }

  /** Some of what this process has used lately, by the names that domains know: paths of responses, keys of rows. */
  usedLately(limit: number): string[] {
    const used: string[] = [];
    for (const key of this.l1.keys()) {
      if (used.length >= fewOf * limit) break;
      used.push(key.slice(key.indexOf(' ') + 1));
    }
    return Array.from({ length: Math.min(limit, used.length) }, () => used[Math.floor(Math.random() * used.length)]!);
  }

  #near({ key }: Address): LevelState {
    if (!this.settings.cacheL1) return { unavailable: 'disabled' };
    const kept = this.l1.peek(key);
    if (!kept) return { entry: undefined };
    const { leased, ...entry } = kept;
    return { entry: { ...entry, valid: leased } };
  }

  async #far(
    addresses: Readonly<Record<Layer, Address>>,
    own: readonly Tag[],
  ): Promise<{ api: LevelState; db: LevelState; tags: readonly TagReport[] | undefined }> {
    try {
      const { gen } = this.connection;
      const [api, db] = await this.l2.entries(gen, [addresses.api, addresses.db]);
      const tags = new Set([...own, ...[api, db].flatMap((entry) => entry?.dependencies.map(({ tag }) => tag) ?? [])]);
      const states = await this.l2.tags(gen, [...tags]);
      const place = (entry: Entry | undefined): LevelState =>
        this.settings.cacheL2
          ? { entry: entry && { ...entry, valid: holds(entry, states) } }
          : { unavailable: 'disabled' };
      return { api: place(api), db: place(db), tags: states };
    } catch (error) {
      if (!(error instanceof LevelUnavailableError)) throw error;
      const unavailable = { unavailable: error.reason };
      return { api: unavailable, db: unavailable, tags: undefined };
    }
  }
}

function holds({ dependencies }: Entry, states: readonly TagReport[]): boolean {
  const byTag = new Map(states.map((state) => [state.tag, state]));
  return dependencies.every(({ tag, stamp }) => {
    const state = byTag.get(tag);
    return state?.stamp === stamp && state.pending.length === 0;
  });
}
