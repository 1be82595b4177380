import { Injectable } from '@nestjs/common';
import { Settings } from '../../../config/index.js';
import { LevelUnavailableError } from '../../cache.errors.js';
import { type Beginning, isPast, provenFor, type TagState } from '../../core/decisions.js';
import { parseSnapshot } from '../../core/snapshot.js';
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
import { derivedKey, tagKey } from './keys.js';
import { tagTtlMs } from './lifetimes.js';
import { step, type StepResult } from '../../steps.js';
import { RedisConnection } from './redis-connection.js';
import { nonce, noValue, RedisTags } from './redis-tags.js';
import { RowReads } from './row-reads.js';

/** What a miss leaves with the caller. Rows leave a nonce in Redis as well; derived entries read their tags' stamps. */
class RedisTicket implements Ticket {
  constructor(
    readonly address: Address,
    readonly gen: string,
    readonly nonce: string,
    readonly tags: readonly KnownTag[] = [],
    readonly beginning: Beginning = { epoch: 0, writers: [] },
  ) {}
}

/** A tag as it was before the load. */
type KnownTag = Dependency & Pick<TagState, 'fence' | 'ff'>;

/** L2: Redis, shared by all nodes. Rows live in the hash of their own tag; everything else is checked by its stamps. */
@Injectable()
export class RedisLevel extends Level {
  readonly name = 'l2';
  readonly #rows: RowReads;

  constructor(
    private readonly settings: Settings,
    private readonly connection: RedisConnection,
    private readonly tags: RedisTags,
  ) {
    super();
    this.#rows = new RowReads(connection);
  }

  /** Whether what it answers is certainly of the generation in force: what strict readers rely on, looked at after the answer. */
  get certain(): boolean {
    return this.connection.certain;
  }

  override read(address: Address, options: ReadOptions = {}): Promise<ReadResult> {
    if (!this.settings.cacheL2) return Promise.resolve({ outcome: 'bypass', reason: 'disabled' });
    // The ticket of a response costs no command.
    if (address.kind === 'response' && options.renew) return this.#read(address, options);
    const { key } = address;
    return step({ name: 'level', level: 'l2', key, resultOf: readResult }, () => this.#read(address, options));
  }

  async #read(address: Address, options: ReadOptions): Promise<ReadResult> {
    try {
      const gen = this.connection.gen;
      return address.kind === 'row'
        ? await this.#readRow(gen, address, options)
        : await this.#readDerived(gen, address, options);
    } catch (error) {
      if (error instanceof LevelUnavailableError) return { outcome: 'bypass', reason: error.reason };
      throw error;
    }
  }

  override fill(ticket: Ticket, fill: Fill): Promise<Filled> {
    if (!(ticket instanceof RedisTicket) || !this.tags.fits(fill.body)) return Promise.resolve(undefined);
    const resultOf = (filled: Filled) => ({ result: filled ? 'stored' : 'refused' });
    return step({ name: 'fill', level: 'l2', key: ticket.address.key, resultOf }, () => this.#fill(ticket, fill));
  }

  async #fill(ticket: RedisTicket, fill: Fill): Promise<Filled> {
    try {
      return ticket.address.kind === 'row' ? await this.#fillRow(ticket, fill) : await this.#fillDerived(ticket, fill);
    } catch (error) {
      if (error instanceof LevelUnavailableError) return undefined;
      throw error;
    }
  }

  override async invalidate(tags: readonly Tag[]): Promise<void> {
    await this.tags.invalidate(tags);
  }

  /** Tags with their stamps as they are now, created where missing: read before what is to depend on them is made. */
  async stamps(tags: readonly Tag[]): Promise<readonly Dependency[] | undefined> {
    try {
      const ticket = await this.#readTags(this.connection.gen, { kind: 'query', key: '', tags });
      return ticket.tags.map(({ tag, stamp }) => ({ tag, stamp }));
    } catch (error) {
      if (error instanceof LevelUnavailableError) return undefined;
      throw error;
    }
  }

  /**
   * Stamps of the tags as they are now, for a value about to be loaded, with what its snapshot must prove.
   * @throws {LevelUnavailableError}
   */
  async #readTags(gen: string, address: Extract<Address, { kind: 'query' }>): Promise<RedisTicket> {
    const { tags } = address;
    const keys = tags.map((tag) => tagKey(gen, tag));
    const answer = await this.connection.run(gen, 'readTags', keys, [
      String(tagTtlMs(this.settings)),
      ...tags.map(nonce),
    ]);
    const [epoch, writers, ...states] = answer as [string, string, ...[string, string, string][]];
    return new RedisTicket(
      address,
      gen,
      '',
      states.map(([stamp, fence, ff], i) => ({
        tag: tags[i]!,
        stamp,
        fence: idsIn(fence),
        ff: Number(ff),
      })),
      { epoch: Number(epoch), writers: idsIn(writers) },
    );
  }

  async #readRow(
    gen: string,
    address: Extract<Address, { kind: 'row' }>,
    { staleMs = 0, renew = false }: ReadOptions,
  ): Promise<ReadResult> {
    const ticket = nonce();
    const age = renew ? noValue : String(staleMs);
    const read = { row: address.tag, coarse: address.coarse, nonce: ticket, staleMs: age };
    const { found, coarseStamp } = await this.#rows.read(gen, read);
    if (found.length === 1)
      return { outcome: 'miss', ticket: new RedisTicket(address, gen, ticket), loading: found[0] === 1 };
    const [body, stamp, freshMs, keepMs] = found;
    const dependencies = rowDependencies(address, stamp, coarseStamp);
    return { outcome: 'hit', entry: { body, dependencies, freshMs, keepMs, from: 'l2' } };
  }

  async #fillRow({ address, gen, nonce }: RedisTicket, fill: Fill): Promise<Filled> {
    if (address.kind !== 'row' || fill.snapshot === undefined) return undefined;
    const { snapshot } = fill;
    const filled = await this.tags.fill({ ...address, ...fill, snapshot, ticket: { gen, nonce } });
    return filled && rowDependencies(address, filled.stamp, filled.coarseStamp);
  }

  async #readDerived(
    gen: string,
    address: Extract<Address, { kind: 'query' | 'response' }>,
    { staleMs = 0, renew = false, watch }: ReadOptions,
  ): Promise<ReadResult> {
    const entry = renew ? undefined : await this.#entry(gen, address.key);
    if (entry && entry.freshMs + staleMs > 0) {
      watch?.(entry.dependencies.map(({ tag }) => tag));
      if (await this.verify(gen, entry.dependencies)) return { outcome: 'hit', entry };
    }
    const ticket = address.kind === 'query' ? await this.#readTags(gen, address) : new RedisTicket(address, gen, '');
    return { outcome: 'miss', ticket };
  }

  /** What is stored, before its stamps are checked. */
  async #entry(gen: string, key: string): Promise<Entry | undefined> {
    const stored = (await this.connection.run(gen, 'readDerived', [derivedKey(gen, key)], [])) as
      [] | [body: string, dependencies: string, freshMs: number, keepMs: number];
    if (stored.length === 0) return undefined;
    const [body, dependencies, freshMs, keepMs] = stored;
    return { body, dependencies: parseDependencies(dependencies), freshMs, keepMs, from: 'l2' };
  }

  /** Whether a value that was kept elsewhere may still be served; false also where that cannot be asked. */
  async confirms(dependencies: readonly Dependency[]): Promise<boolean> {
    if (!this.settings.cacheL2 || this.connection.state !== 'closed') return false;
    try {
      return await this.verify(this.connection.gen, dependencies);
    } catch (error) {
      if (error instanceof LevelUnavailableError) return false;
      throw error;
    }
  }

  /** Whether every tag still has the stamp that the value was made under, with no writer pending. */
  async verify(gen: string, dependencies: readonly Dependency[]): Promise<boolean> {
    const keys = dependencies.map(({ tag }) => tagKey(gen, tag));
    const stamps = (await this.connection.run(gen, 'verify', keys, [])) as string[];
    return dependencies.every(({ stamp }, i) => stamp !== '' && stamps[i] === stamp);
  }

  async #fillDerived({ address, gen, tags, beginning }: RedisTicket, fill: Fill): Promise<Filled> {
    if (address.kind === 'query' && !proven(tags, beginning, fill.snapshot)) return undefined;
    const dependencies = address.kind === 'query' ? distinct([...tags, ...(fill.further ?? [])]) : fill.dependencies;
    if (!dependencies?.length) return undefined;
    const stored = await this.connection.run(
      gen,
      'storeDerived',
      [derivedKey(gen, address.key), ...dependencies.map(({ tag }) => tagKey(gen, tag))],
      [
        fill.body,
        JSON.stringify(dependencies.map(({ tag, stamp }) => [tag, stamp])),
        String(fill.freshMs),
        String(fill.keepMs),
        fill.snapshot ?? '',
        ...dependencies.map(({ stamp }) => stamp),
      ],
    );
    return stored === 1 ? dependencies : undefined;
  }
}

function readResult(read: ReadResult): StepResult {
  return read.outcome === 'bypass' ? { result: 'bypass', detail: read.reason } : { result: read.outcome };
}

export function rowDependencies(
  { tag, coarse }: Extract<Address, { kind: 'row' }>,
  stamp: string,
  coarseStamp: string,
): Dependency[] {
  return [
    { tag, stamp },
    { tag: coarse, stamp: coarseStamp },
  ];
}

const idsIn = (list: string): number[] => (list === '' ? [] : list.split(',').map(Number));

/** The load's snapshot must see every recent writer of every tag, and everything that this data set cannot know of. */
function proven(tags: readonly KnownTag[], beginning: Beginning, text: string | undefined): boolean {
  if (text === undefined) return false;
  const snapshot = parseSnapshot(text);
  return isPast(beginning, snapshot) && tags.every((tag) => provenFor(tag, snapshot));
}

/** Undefined where two of them name different generations of one tag. */
function distinct(dependencies: readonly Dependency[]): readonly Dependency[] | undefined {
  const stamps = new Map<Tag, string>();
  for (const { tag, stamp } of dependencies) {
    if ((stamps.get(tag) ?? stamp) !== stamp) return undefined;
    stamps.set(tag, stamp);
  }
  return [...stamps].map(([tag, stamp]) => ({ tag, stamp }));
}

/** What comes back from a store is untrusted. */
export function parseDependencies(text: string): Dependency[] {
  const pairs = JSON.parse(text) as [tag: Tag, stamp: string][];
  return pairs.map(([tag, stamp]) => ({ tag, stamp }));
}
