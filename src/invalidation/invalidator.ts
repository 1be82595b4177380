import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import {
  CacheEvents,
  type CommittedChange,
  type Fenced,
  type InvalidationDelivery,
  LevelUnavailableError,
  MemoryLevel,
  RedisConnection,
  RedisTags,
  type Tag,
  type Tickets,
  type Writer,
} from '../cache/index.js';
import { Settings } from '../config/index.js';
import { Journal } from './journal/journal.js';

/** A fence that was sent before it is known how its transaction ends. */
export interface Fencing {
  /**
   * Call it once the transaction has committed, or its outcome is unknown.
   * @returns the tickets, once the fence is delivered; undefined where Redis has not taken it, and it is in the journal
   */
  committed(): Promise<Tickets | undefined>;
}

/** How long the end of the service waits for a Redis that has not been told everything, in ms. */
const lastAttemptMs = 2_000;

/**
 * Delivers invalidations that must not fail: of this process's own L1 at once, of Redis (which tells the other nodes) now
 * or, from the journal, as soon as it is back.
 */
@Injectable()
export class Invalidator implements InvalidationDelivery, BeforeApplicationShutdown {
  readonly #logger = new Logger('Invalidation');
  #replayed: Promise<void> = Promise.resolve();

  constructor(
    private readonly settings: Settings,
    private readonly l1: MemoryLevel,
    private readonly tags: RedisTags,
    private readonly connection: RedisConnection,
    private readonly journal: Journal,
    private readonly events: CacheEvents,
  ) {
    connection.onOpen(() => void (this.#replayed = this.#replay()));
  }

  /**
   * FENCE, sent now, or with L2 off behind the COMMIT: an L1 without stamps knows of its message alone, and would keep what it
   * loads between the two. Never throws: what could not be delivered is kept once it is known to be true.
   * @param rows of which their writer wants tickets, with their coarse tags
   */
  fence(tags: readonly Tag[], writer: Writer, rows?: ReadonlyMap<Tag, Tag>): Fencing {
    this.l1.invalidate(tags);
    const send = () => this.tags.fence(tags, writer, rows ? { rows } : {});
    let sent: Promise<Fenced> | undefined = this.settings.cacheL2 ? send() : undefined;
    sent?.catch(() => (sent = undefined));
    return {
      committed: async () => {
        let tickets: Tickets | undefined;
        // What has failed by now, perhaps under a generation that has ended, is sent anew.
        await this.#deliver(tags, writer, async () => void ({ tickets } = await (sent ?? send())));
        // A fill that was under way when the fence was sent may have come back before its message, and without Redis this
        // node may have shared what was committed before.
        this.l1.invalidate(tags);
        this.fenced(tags);
        return tickets;
      },
    };
  }

  /** Behind a COMMIT, what was not planned for it. Never throws. @param writer undefined where PostgreSQL cannot be asked */
  async afterwards(tags: readonly Tag[], writer: Writer | undefined): Promise<void> {
    if (writer) await this.fence(tags, writer).committed();
    else await this.deliver(tags, () => this.tags.invalidate(tags));
  }

  /** Never throws for want of Redis. */
  async deliver(tags: readonly Tag[], send: () => Promise<unknown>): Promise<void> {
    this.l1.invalidate(tags);
    await this.#deliver(tags, undefined, send);
    this.l1.invalidate(tags);
  }

  /** A writer has fenced them. */
  fenced(tags: readonly Tag[]): void {
    this.events.emit({ type: 'invalidated', source: 'write', tags });
  }

  /** On an operator's word. @throws {LevelUnavailableError} if Redis cannot be told */
  async onDemand(tags: readonly Tag[]): Promise<void> {
    this.l1.invalidate(tags);
    await this.tags.invalidate(tags);
    this.l1.invalidate(tags);
    this.events.emit({ type: 'invalidated', source: 'admin', tags });
  }

  /**
   * Committed changes that the feed tells of; what their writers have fenced already stays as it is. Where a generation has
   * just ended, they are fenced in the next one.
   * @throws {LevelUnavailableError} if Redis cannot be told
   */
  async fromFeed(changes: readonly CommittedChange[]): Promise<void> {
    const missed = await this.tags.fenceMissed(changes).catch(async (error: unknown) => {
      const hasEnded = error instanceof LevelUnavailableError && error.reason === 'no-epoch';
      if (!hasEnded || !(await this.tags.untilInForce())) throw error;
      return this.tags.fenceMissed(changes);
    });
    if (missed.length === 0) return;
    this.l1.invalidate(missed);
    this.events.emit({ type: 'invalidated', source: 'feed', tags: missed });
  }

  /** Everything, on every node: a new generation. @throws {LevelUnavailableError} if Redis cannot be told */
  async clear(): Promise<void> {
    this.l1.clear();
    await this.connection.renewGeneration();
    this.l1.clear();
    this.events.emit({ type: 'invalidated', source: 'admin', tags: [] });
  }

  /** What is left in the journal is the change feed's to tell, if any node reads it: its fences are missing. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#replayed;
    if (this.journal.size === 0) return;
    if (await this.connection.untilOpen(lastAttemptMs)) await this.#replayed;
    if (this.journal.size === 0) return;
    this.#logger.warn(
      `${this.journal.size} tags could not be invalidated before the end: ` +
        'the change feed of another node tells of them; without one, old values stay until they expire',
    );
  }

  /** @returns whether Redis has taken it at once */
  async #deliver(tags: readonly Tag[], writer: Writer | undefined, send: () => Promise<unknown>): Promise<boolean> {
    try {
      await send();
      return true;
    } catch (error) {
      if (!(error instanceof LevelUnavailableError)) this.#logger.error(error);
      this.#keep(tags, writer);
      // Often Redis is back in a moment: then the write is not answered before the other nodes have heard.
      const waitMs = Math.max(this.settings.redisTimeoutMs, this.connection.joiningMs);
      if (await this.connection.untilOpen(waitMs)) await this.#replayed;
      return false;
    }
  }

  /**
   * Whatever is sent on the next connection, or under the next generation, is sent behind the replay, and executed behind
   * it, since the server knows its scripts by then: nothing can be read that it will fence.
   */
  #keep(tags: readonly Tag[], writer: Writer | undefined): void {
    this.journal.add(tags, writer);
    this.connection.reset('an invalidation could not be delivered');
  }

  async #replay(): Promise<void> {
    const replays = this.journal.take().map(async ({ tags, writer }) => {
      try {
        await (writer ? this.tags.fence(tags, writer) : this.tags.invalidate(tags));
        this.events.emit({ type: 'invalidated', source: 'journal', tags });
      } catch {
        this.#keep(tags, writer);
      }
    });
    await Promise.all(replays);
  }
}
