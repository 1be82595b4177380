import { Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { Settings } from '../../../config/index.js';
import { Clock } from '../../clock.js';
import { type Lifetime } from '../../core/freshness.js';
import { type Tag } from '../../core/tags.js';
import { step } from '../../steps.js';
import { LevelUnavailableError } from '../../cache.errors.js';
import { invalidationChannel, namespaceOf, nodeChannel, nodesKey, notedKey, tagKey, valueField } from './keys.js';
import { tagTtlMs } from './lifetimes.js';
import { RedisConnection } from './redis-connection.js';

/** How often the log says that a value is too large, in ms. */
const warnEveryMs = 60_000;

/** As the age that a value may have: none is wanted. */
export const noValue = '-inf';

/** A stamp or a ticket: random, never reused. 122 bits; Node draws the randomness of many at once. */
export const nonce = (): string => randomUUID();

/** A writing transaction. */
export interface Writer {
  readonly xid: string;
  /** Oldest id that was still running in a snapshot of the writer's: all below are finished. */
  readonly xmin: string;
  /** Of the generation in force, read when the transaction had its id: every later one begins at a higher id. */
  readonly number?: string;
}

/** The right to fill a row. */
export interface RowTicket {
  readonly gen: string;
  readonly nonce: string;
}

/** By the tags of their rows. */
export type Tickets = ReadonlyMap<Tag, RowTicket>;

/** A row as its writer has loaded it after the COMMIT, with the ticket that came with its fence. */
export interface WrittenRow extends Lifetime {
  readonly tag: Tag;
  readonly coarse: Tag;
  readonly ticket: RowTicket;
  /** JSON text. */
  readonly body: string;
  /** Of the load. */
  readonly snapshot: string;
}

/** What a committed transaction has changed. */
export interface CommittedChange {
  readonly tags: readonly Tag[];
  readonly writer: Writer;
}

/** So many tags in one command, unless a single transaction has more: Redis does nothing else meanwhile. */
const maxTags = 300;

/** What is told to every node on the invalidation channel. */
export interface InvalidationMessage {
  readonly tags: readonly Tag[];
  /** Wall clock of the sender, in ms. */
  readonly atMs: number;
  /** Who waits until it has been acted on, and under which name. */
  readonly ack?: Acknowledgement;
}

export interface Acknowledgement {
  readonly to: string;
  readonly id: string;
}

export interface FenceOptions {
  readonly acknowledgement?: Acknowledgement;
  /** Fenced rows that their writer is going to load, with their coarse tags: it gets a ticket for each. */
  readonly rows?: ReadonlyMap<Tag, Tag>;
}

/** What a writer learns from its fence. */
export interface Fenced {
  /** The nodes that must acknowledge, with the count of their heartbeats. */
  readonly nodes: ReadonlyMap<string, string>;
  /** How long this generation has known its nodes, in ms. */
  readonly generationAgeMs: number;
  readonly tickets: Tickets;
}

/**
 * The writers' side of L2: stamps and fences. Every call throws `LevelUnavailableError` where Redis cannot take it. What
 * ends the life of a value is delivered: late rather than not at all.
 */
@Injectable()
export class RedisTags {
  readonly #logger = new Logger('Cache');
  #warnedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly settings: Settings,
    private readonly connection: RedisConnection,
    private readonly clock: Clock,
  ) {}

  /**
   * Whether a value is small enough for Redis. One that is too large would hold up everybody else's commands, and miss their
   * deadline.
   */
  fits(body: string): boolean {
    const { cacheL2MaxValueBytes: most } = this.settings;
    const bytes = Buffer.byteLength(body);
    if (bytes <= most) return true;
    const now = this.clock.monotonicMs();
    if (now - this.#warnedAtMs >= warnEveryMs) {
      this.#warnedAtMs = now;
      this.#logger.warn(`a value of ${bytes} bytes is not kept: CACHE_L2_MAX_VALUE_BYTES is ${most}`);
    }
    return false;
  }

  /** FENCE: a new stamp, no value, no tickets but the writer's own; no fill is accepted until its snapshot sees the writer. */
  fence(tags: readonly Tag[], writer: Writer, options: FenceOptions = {}): Promise<Fenced> {
    const what = { name: 'fence', level: 'l2', tags: tags.length } as const;
    return step(what, () => this.#fence(tags, writer, options));
  }

  /** @throws {LevelUnavailableError} where another generation than this node's was in force when the writer looked */
  assertInForce({ number }: Writer): void {
    if (number === this.connection.number) return;
    throw new LevelUnavailableError('no-epoch', 'another cache generation is in force');
  }

  /** Whether a generation is in force, or comes into force soon enough to be waited for. */
  untilInForce(): Promise<boolean> {
    return this.connection.untilOpen(this.connection.joiningMs);
  }

  /** FENCE of what committed transactions have changed and not fenced themselves. @returns those tags */
  async fenceMissed(changes: readonly CommittedChange[]): Promise<readonly Tag[]> {
    const gen = this.connection.gen;
    const missed = await Promise.all(
      bundled(changes).map((some) =>
        this.connection.deliver(
          gen,
          'fenceMissed',
          some.flatMap(({ tags, writer }) => [notedKey(gen, writer.xid), ...this.#keys(gen, tags)]),
          [
            ...[String(tagTtlMs(this.settings)), channelOf(gen), String(this.clock.wallMs())],
            ...some.flatMap(({ tags, writer }) => [
              ...[writer.xid, writer.xmin, String(tags.length)],
              ...tags.flatMap((tag) => [tag, nonce()]),
            ]),
          ],
        ),
      ),
    );
    return (missed as Tag[][]).flat();
  }

  /** A node that did not acknowledge is not asked again, unless it has been heard of since. */
  async forget(node: string, count: string): Promise<void> {
    const gen = this.connection.gen;
    await this.connection.run(gen, 'forgetNode', [nodesKey(gen)], [node, count]);
  }

  /** A node that leaves holds nothing any more. */
  async unregister(node: string): Promise<void> {
    const gen = this.connection.gen;
    await this.connection.command(gen, (client) => client.hDel(nodesKey(gen), node));
  }

  /**
   * A heartbeat, under the generation in force; the answer comes on the node's channel, behind all earlier invalidations.
   * @param register whether writers are to wait for this node's acknowledgements
   */
  async beat(node: string, message: string, register: boolean): Promise<void> {
    const gen = this.connection.gen;
    await this.connection.run(
      gen,
      'beat',
      [nodesKey(gen)],
      [node, nodeChannel(namespaceOf(gen), node), message, register ? '1' : ''],
    );
  }

  /** No load that began before this transaction is accepted any more. */
  async raiseEpoch(xid: string): Promise<void> {
    await this.connection.run(this.connection.gen, 'raiseEpoch', [], [xid]);
  }

  /** FILL: the stamps under which the row was accepted; undefined where it was refused. */
  async fill({ ticket, tag, coarse, body, snapshot, freshMs, keepMs }: WrittenRow) {
    const args = [ticket.nonce, valueField, body, snapshot, String(freshMs), String(keepMs)];
    const answer = await this.connection.run(ticket.gen, 'fillRow', this.#keys(ticket.gen, [tag, coarse]), args);
    return Array.isArray(answer) ? { stamp: String(answer[0]), coarseStamp: String(answer[1]) } : undefined;
  }

  /** After a certain rollback: this writer is not pending any more. */
  async rolledBack(tags: readonly Tag[], xid: string): Promise<void> {
    const gen = this.connection.gen;
    await this.connection.run(gen, 'rolledBack', this.#keys(gen, tags), [xid, String(tagTtlMs(this.settings))]);
  }

  /** A new stamp and no value: everything made under the tags is unservable from now on. */
  async invalidate(tags: readonly Tag[]): Promise<void> {
    const gen = this.connection.gen;
    await this.connection.deliver(gen, 'invalidate', this.#keys(gen, tags), [
      String(tagTtlMs(this.settings)),
      channelOf(gen),
      this.#message(tags),
      ...tags.map(nonce),
    ]);
  }

  /** An unconditional value under a tag of its own, for values that no database row stands behind. */
  async put(tag: Tag, coarse: Tag, body: string, { freshMs, keepMs }: Lifetime): Promise<void> {
    const gen = this.connection.gen;
    await this.connection.deliver(gen, 'putRow', this.#keys(gen, [tag, coarse]), [
      ...[nonce(), nonce(), valueField, body, String(freshMs), String(keepMs)],
      ...[channelOf(gen), this.#message([tag])],
    ]);
  }

  async #fence(tags: readonly Tag[], writer: Writer, { acknowledgement, rows }: FenceOptions): Promise<Fenced> {
    const gen = this.connection.gen;
    const head = [nodesKey(gen), notedKey(gen, writer.xid), ...this.#keys(gen, tags)];
    const coarse = [...new Set(rows?.values())];
    // The record is the first key.
    const keyOf = (tag: Tag): number => 2 + head.length + coarse.indexOf(rows?.get(tag) ?? '');
    const stamps = tags.map((tag) => ({ tag, stamp: nonce(), ticketed: rows?.has(tag) ?? false }));
    const [nodes, generationAgeMs] = (await this.connection.deliver(
      gen,
      'fence',
      [...head, ...this.#keys(gen, coarse)],
      [
        ...[writer.xid, writer.xmin, channelOf(gen), this.#message(tags, acknowledgement)],
        ...stamps.flatMap(({ tag, stamp, ticketed }) => [stamp, String(ticketed ? keyOf(tag) : 0)]),
      ],
    )) as [string[], number];
    const ticketed = stamps.filter((one) => one.ticketed);
    return {
      nodes: new Map(nodes.flatMap((node, i) => (i % 2 === 0 ? [[node, nodes[i + 1]!] as const] : []))),
      generationAgeMs,
      tickets: new Map(ticketed.map(({ tag, stamp }) => [tag, { gen, nonce: stamp }])),
    };
  }

  #keys(gen: string, tags: readonly Tag[]): string[] {
    return tags.map((tag) => tagKey(gen, tag));
  }

  #message(tags: readonly Tag[], ack?: Acknowledgement): string {
    return JSON.stringify({ tags, atMs: this.clock.wallMs(), ...(ack && { ack }) } satisfies InvalidationMessage);
  }
}

/** In commands of a bounded size. */
function bundled(changes: readonly CommittedChange[]): CommittedChange[][] {
  const bundles: CommittedChange[][] = [];
  let left = 0;
  for (const change of changes) {
    if (left < change.tags.length) {
      bundles.push([]);
      left = maxTags;
    }
    bundles.at(-1)!.push(change);
    left -= change.tags.length;
  }
  return bundles;
}

const channelOf = (gen: string): string => invalidationChannel(namespaceOf(gen));
