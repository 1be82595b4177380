import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { Settings } from '../../../config/index.js';
import { Clock } from '../../clock.js';
import { type Lifetime } from '../../core/freshness.js';
import { type Tag } from '../../core/tags.js';
import { step } from '../../steps.js';
import { invalidationChannel, nodeChannel, nodesKey, tagKey, valueField } from './keys.js';
import { tagTtlMs } from './lifetimes.js';
import { RedisConnection } from './redis-connection.js';

/** A stamp or a ticket: random, never reused. 122 bits; Node draws the randomness of many at once. */
export const nonce = (): string => randomUUID();

/** A writing transaction. */
export interface Writer {
  readonly xid: string;
  /** Oldest id that was still running in a snapshot of the writer's: all below are finished. */
  readonly xmin: string;
}

/** A committed row, to be kept if nobody touched its tag since the stamps were read under the row's lock. */
export interface RowStore extends Lifetime {
  readonly tag: Tag;
  readonly coarse: Tag;
  readonly stamp: string;
  readonly coarseStamp: string;
  /** JSON text of the row as re-read in the writing transaction; `null` where it was deleted. */
  readonly body: string;
}

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

/** What a strict writer learns from its fence. */
export interface Fenced {
  readonly stamps: ReadonlyMap<Tag, string>;
  /** The nodes that must acknowledge, with the count of their heartbeats. */
  readonly nodes: ReadonlyMap<string, string>;
  /** How long this generation has known its nodes, in ms. */
  readonly generationAgeMs: number;
}

/** The writers' side of L2: stamps and fences. Every call throws `LevelUnavailableError` where Redis cannot take it. */
@Injectable()
export class RedisTags {
  constructor(
    private readonly settings: Settings,
    private readonly connection: RedisConnection,
    private readonly clock: Clock,
  ) {}

  /** The stamps of tags as they are, created where they are missing. */
  async peek(tags: readonly Tag[]): Promise<ReadonlyMap<Tag, string>> {
    return (await this.#fence([], tags, { xid: '0', xmin: '0' })).stamps;
  }

  /**
   * FENCE: a new stamp, no value, no tickets; no fill is accepted until its snapshot sees the writer.
   * @param peeked tags whose stamps are wanted too
   */
  fence(
    tags: readonly Tag[],
    peeked: readonly Tag[],
    writer: Writer,
    acknowledgement?: Acknowledgement,
  ): Promise<Fenced> {
    const what = { name: 'fence', level: 'l2', tags: tags.length } as const;
    return step(what, () => this.#fence(tags, peeked, writer, acknowledgement));
  }

  /** FENCE of what the committed transaction has changed and not fenced itself. @returns those tags */
  async fenceMissed(tags: readonly Tag[], writer: Writer): Promise<readonly Tag[]> {
    const gen = this.connection.gen;
    const missed = await this.connection.run(gen, 'fenceMissed', this.#keys(gen, tags), [
      ...[writer.xid, writer.xmin, String(tagTtlMs(this.settings)), invalidationChannel, String(this.clock.wallMs())],
      ...tags.flatMap((tag) => [tag, nonce()]),
    ]);
    return missed as Tag[];
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

  /** A heartbeat: this node is to be asked; the answer comes on its channel, behind all earlier invalidations. */
  async beat(node: string, message: string): Promise<void> {
    const gen = this.connection.gen;
    await this.connection.run(gen, 'beat', [nodesKey(gen)], [node, nodeChannel(node), message]);
  }

  /** No load that began before this transaction is accepted any more. */
  async raiseEpoch(xid: string): Promise<void> {
    await this.connection.run(this.connection.gen, 'raiseEpoch', [], [xid]);
  }

  /** RELEASE: the row of a writer that has fenced it before COMMIT. */
  release(row: RowStore, writer: Writer): Promise<boolean> {
    const what = { name: 'release', level: 'l2', tags: 1, resultOf: storedResult } as const;
    return step(what, () => this.#store(row, writer, '', []));
  }

  /** The write-through form of it: FENCE always, of further tags in the same step; store only if the stamps still hold. */
  fenceAndStore(row: RowStore, further: readonly Tag[], writer: Writer): Promise<boolean> {
    const what = { name: 'fence', level: 'l2', tags: 1 + further.length, resultOf: storedResult } as const;
    return step(what, () => this.#store(row, writer, nonce(), further));
  }

  async #store(row: RowStore, writer: Writer, newStamp: string, further: readonly Tag[]): Promise<boolean> {
    const gen = this.connection.gen;
    const stored = await this.connection.run(gen, 'storeRow', this.#keys(gen, [row.tag, row.coarse, ...further]), [
      ...[writer.xid, writer.xmin, newStamp, row.stamp, row.coarseStamp, valueField, row.body],
      ...[String(row.freshMs), String(row.keepMs), invalidationChannel, this.#message([row.tag, ...further])],
      ...further.map(nonce),
    ]);
    return stored === 1;
  }

  /** After a certain rollback: this writer is not pending any more. */
  async rolledBack(tags: readonly Tag[], xid: string): Promise<void> {
    const gen = this.connection.gen;
    await this.connection.run(gen, 'rolledBack', this.#keys(gen, tags), [xid, String(tagTtlMs(this.settings))]);
  }

  /** A new stamp and no value: everything made under the tags is unservable from now on. */
  async invalidate(tags: readonly Tag[]): Promise<void> {
    const gen = this.connection.gen;
    await this.connection.run(gen, 'invalidate', this.#keys(gen, tags), [
      String(tagTtlMs(this.settings)),
      invalidationChannel,
      this.#message(tags),
      ...tags.map(nonce),
    ]);
  }

  /** An unconditional value under a tag of its own, for values that no database row stands behind. */
  async put(tag: Tag, coarse: Tag, body: string, { freshMs, keepMs }: Lifetime): Promise<void> {
    const gen = this.connection.gen;
    await this.connection.run(gen, 'putRow', this.#keys(gen, [tag, coarse]), [
      ...[nonce(), nonce(), valueField, body, String(freshMs), String(keepMs)],
      ...[invalidationChannel, this.#message([tag])],
    ]);
  }

  async #fence(
    tags: readonly Tag[],
    peeked: readonly Tag[],
    writer: Writer,
    acknowledgement?: Acknowledgement,
  ): Promise<Fenced> {
    const all = [...tags, ...peeked];
    const gen = this.connection.gen;
    const [stamps, nodes, generationAgeMs] = (await this.connection.run(
      gen,
      'fence',
      [nodesKey(gen), ...this.#keys(gen, all)],
      [
        ...[writer.xid, writer.xmin, String(tags.length), String(tagTtlMs(this.settings))],
        ...[invalidationChannel, this.#message(tags, acknowledgement)],
        ...all.map(nonce),
      ],
    )) as [string[], string[], number];
    return {
      stamps: new Map(all.map((tag, i) => [tag, stamps[i]!])),
      nodes: new Map(nodes.flatMap((node, i) => (i % 2 === 0 ? [[node, nodes[i + 1]!] as const] : []))),
      generationAgeMs,
    };
  }

  #keys(gen: string, tags: readonly Tag[]): string[] {
    return tags.map((tag) => tagKey(gen, tag));
  }

  #message(tags: readonly Tag[], ack?: Acknowledgement): string {
    return JSON.stringify({ tags, atMs: this.clock.wallMs(), ...(ack && { ack }) } satisfies InvalidationMessage);
  }
}

const storedResult = (stored: boolean) => ({ stored });
