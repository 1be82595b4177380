import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisConnection } from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { codeOf } from '../../database/index.js';
import { type HealthState, HealthSources } from '../../http/index.js';
import { Invalidator } from '../invalidator.js';
import { OwnWrites } from '../own-writes.js';
import { PolicyRegistry } from '../policies/policy-registry.js';
import { ChangeStream, type CommittedTransaction } from './change-stream.js';
import { FeedDelivery } from './feed-delivery.js';
import { FeedLag } from './feed-lag.js';
import { FeedSlot, publication, type SlotView } from './feed-slot.js';
import { FeedTables } from './feed-tables.js';

/** How often a node that does not read looks whether it can, in ms: so long may a change wait when the reader dies. */
const retryMs = 250;
const slotInUse = '55006';
/** How often the reader measures, in ms. */
const beatMs = 1_000;
/** A message of ours that takes longer than this has been lost: the connection is dead. */
const silenceMs = 10_000;

export type FeedState = 'off' | 'unsupported' | 'starting' | 'standby' | 'leading';

/**
 * Sees the writes that go past TypeORM, and those whose writer died between COMMIT and fence: every committed change comes
 * by logical replication, and becomes a FENCE with the id of its transaction. Of all nodes the one that holds the slot
 * reads; the others stand by. A reader that cannot reach Redis gives the slot up.
 */
@Injectable()
export class ChangeFeed implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Feed');
  readonly #lag = new FeedLag();
  readonly #stopped = new AbortController();
  #state: FeedState = 'off';
  #unpublished: readonly string[] = [];
  #stream: ChangeStream | undefined;
  #running: Promise<void> = Promise.resolve();
  #said = '';

  constructor(
    private readonly settings: Settings,
    private readonly slot: FeedSlot,
    private readonly tables: FeedTables,
    private readonly connection: RedisConnection,
    private readonly registry: PolicyRegistry,
    private readonly invalidator: Invalidator,
    private readonly ownWrites: OwnWrites,
    health: HealthSources,
  ) {
    health.add({ name: 'feed', state: () => this.#health() });
  }

  get state(): FeedState {
    return this.#state;
  }

  /** How far behind the database the cache may be for changes from elsewhere, in seconds. Undefined: another node knows. */
  get lagSeconds(): number | undefined {
    return this.#state === 'leading' ? this.#lag.seconds : undefined;
  }

  onApplicationBootstrap(): void {
    const { cacheFeed, cacheL2, redisUrl } = this.settings;
    if (!cacheFeed || !cacheL2 || !redisUrl) return;
    this.#state = 'starting';
    this.#running = this.#run();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopped.abort();
    await this.#stream?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await this.#turn();
      } catch (error) {
        // Two nodes may see a free slot at once.
        if (codeOf(error) === slotInUse) this.#state = 'standby';
        else this.#say('warn', `the change feed was interrupted: ${(error as Error).message}`);
      }
      if (this.#state === 'leading') this.#state = 'starting';
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    }
    this.#state = 'off';
  }

  async #turn(): Promise<void> {
    const seen = await this.slot.look();
    if (seen.state === 'unsupported') {
      this.#state = 'unsupported';
      return this.#say(
        'warn',
        'no change feed: wal_level is not logical. SQL from elsewhere is seen when its TTL is over',
      );
    }
    if (seen.state === 'taken') return void (this.#state = 'standby');
    if (this.connection.state !== 'closed') return;
    if (seen.state === 'free') return this.#lead(seen);
    if (seen.state === 'lost') this.#say('warn', 'the slot of the change feed was lost: everything is cached anew');
    await this.slot.create(seen);
  }

  /** @returns when another node has the slot, or none of it works any more */
  async #lead(seen: SlotView): Promise<void> {
    const stream = new ChangeStream(
      { databaseUrl: this.settings.databaseUrl, slot: seen.name, publication, confirmed: seen.confirmed },
      this.tables,
    );
    const over = new AbortController();
    let failure: unknown;
    const fail = (error: unknown): void => {
      failure ??= error;
      void stream.close();
    };
    const done = (batch: readonly CommittedTransaction[]): void => {
      for (const text of batch.flatMap(({ messages }) => messages)) this.#lag.returned(text);
      const last = batch.at(-1);
      if (last) stream.confirm(last.endLsn);
    };
    const delivery = new FeedDelivery(this.slot, this.registry, this.invalidator, this.ownWrites, done, fail);
    const started = (): void => {
      this.#begin(seen, over.signal).catch(fail);
    };
    this.#stream = stream;
    this.ownWrites.watched = true;
    try {
      await stream.read(started, (transaction) => delivery.add(transaction));
    } finally {
      this.#stream = undefined;
      this.ownWrites.watched = false;
      over.abort();
      delivery.stop();
      this.#lag.forget();
    }
    if (failure) throw failure as Error;
  }

  /** This node reads. What was cached before the slot was there may miss a change: everything is cached anew, once. */
  async #begin({ name }: SlotView, over: AbortSignal): Promise<void> {
    if (!(await this.slot.covers(name))) {
      await this.invalidator.clear();
      await this.slot.nowCovers(name);
    }
    this.#unpublished = await this.slot.unpublished();
    for (const table of this.#unpublished)
      this.#say(
        'warn',
        `changes of ${table} from elsewhere are not seen: ALTER PUBLICATION ${publication} ADD TABLE ${table}`,
      );
    this.#state = 'leading';
    this.#say('log', 'this node reads the change feed');
    while (!over.aborted) {
      if (this.#lag.seconds * 1_000 > silenceMs) throw new Error('nothing comes back from the log');
      await this.slot.write(this.#lag.sent());
      await sleep(beatMs, undefined, { signal: over }).catch(() => undefined);
    }
  }

  #health(): HealthState {
    const state = this.#state;
    if (state === 'off') return { status: 'up', state };
    const complete = this.#unpublished.length === 0;
    return { status: complete && (state === 'leading' || state === 'standby') ? 'up' : 'degraded', state };
  }

  /** Once, until there is something else to say. */
  #say(level: 'log' | 'warn', text: string): void {
    if (text !== this.#said) this.#logger[level](text);
    this.#said = text;
  }
}
