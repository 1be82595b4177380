import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisConnection } from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { codeOf, isDatabaseUnavailable } from '../../database/index.js';
import { type HealthState, HealthSources } from '../../http/index.js';
import { FeedRefusedError } from '../invalidation.errors.js';
import { Invalidator } from '../invalidator.js';
import { OwnWrites } from '../own-writes.js';
import { PolicyRegistry } from '../policies/policy-registry.js';
import { ChangeStream, type CommittedTransaction } from './change-stream.js';
import { FeedDelivery } from './feed-delivery.js';
import { FeedLag } from './feed-lag.js';
import { FeedSlot, type Gap, publication, type SlotView } from './feed-slot.js';
import { FeedTables } from './feed-tables.js';

/** How often a node that does not read looks whether it can, in ms: so long may a change wait when the reader dies. */
const retryMs = 250;
/** The same where it fails again and again, in ms: each time twice as long, up to this. */
const maxRetryMs = 5_000;
const slotInUse = '55006';
/** Changes from when there was no publication cannot be read, not even once there is one. */
const undefinedObject = '42704';

/** What PostgreSQL, or a pooler in front of it, refuses until somebody sets it up otherwise: by SQLSTATE. */
const remedies: Readonly<Record<string, string>> = {
  '08P01': 'a pooler does not replicate: DATABASE_DIRECT_URL must lead to PostgreSQL itself',
  '28000': 'pg_hba.conf does not let the role in',
  '28P01': 'the password of the role is another one',
  '42501': 'the role lacks a right, such as REPLICATION',
  '53400': 'no replication slot is free: raise max_replication_slots',
  '55000': 'wal_level must be logical (from PostgreSQL 19 on, replica is enough)',
};

/** How often the reader measures, in ms. */
const beatMs = 1_000;
/** A message of ours that takes longer than this has been lost: the connection is dead. */
const silenceMs = 10_000;

function gapsText(gaps: readonly Gap[]): string {
  if (gaps.length === 0) return 'the feed tells of every cached table again: everything is cached anew';
  const tables = gaps.map(({ table }) => table).join(', ');
  return `changes of ${tables} from elsewhere are not seen: ${[...new Set(gaps.map(({ remedy }) => remedy))].join('; ')}`;
}

/** An error as a refusal, if it is one. The code of a wal_level that is too low is that of a slot that is lost, too. */
function refusalOf(error: Error): FeedRefusedError | undefined {
  if (error instanceof FeedRefusedError) return error;
  const code = codeOf(error) ?? '';
  const remedy = code === '55000' && !error.message.includes('wal_level') ? undefined : remedies[code];
  return remedy === undefined ? undefined : new FeedRefusedError(remedy, { cause: error });
}

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
  /** Why it does not run. */
  #reason: string | undefined;
  /** Of the publication, while this node reads. */
  #gaps: readonly Gap[] | undefined;
  /** The slot that is there cannot be read. */
  #unreadable = false;
  #failures = 0;
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
    this.slot.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await this.#turn();
      } catch (error) {
        if (!signal.aborted) this.#failed(error as Error);
      }
      if (this.#state === 'leading') this.#state = 'starting';
      const pauseMs = Math.min(retryMs * 2 ** this.#failures, maxRetryMs);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
    this.#state = 'off';
  }

  #failed(error: Error): void {
    const code = codeOf(error);
    // Two nodes may see a free slot at once.
    if (code === slotInUse) return this.#standBy();
    if (code === undefinedObject) this.#unreadable = true;
    const refusal = refusalOf(error);
    // Where PostgreSQL is away, its return should be noticed soon.
    if (refusal || !isDatabaseUnavailable(error)) this.#failures += 1;
    if (!refusal) return this.#say('warn', `the change feed was interrupted: ${error.message}`);
    this.#state = 'unsupported';
    this.#reason = refusal.reason;
    this.#say('warn', `no change feed: ${refusal.message}. SQL from elsewhere is seen when its TTL is over`);
  }

  #standBy(): void {
    this.#state = 'standby';
    this.#failures = 0;
  }

  async #turn(): Promise<void> {
    const seen = await this.slot.look();
    // Nobody would close a stream that begins now.
    if (this.#stopped.signal.aborted) return;
    if (seen.state === 'taken') return this.#standBy();
    if (!seen.published) {
      // Nobody could read what it would keep.
      if (seen.state !== 'absent') await this.slot.drop(seen);
      throw new FeedRefusedError(`there is no publication: CREATE PUBLICATION ${publication} FOR TABLE …`);
    }
    if (this.connection.state !== 'closed') return;
    if (seen.state === 'free' && !this.#unreadable) return this.#lead(seen);
    if (seen.state !== 'absent') this.#say('warn', 'the slot of the change feed was lost: everything is cached anew');
    if (this.#state === 'starting') this.#reason = 'its slot is made once every open transaction has ended';
    await this.slot.create(seen, this.#stopped.signal);
    this.#unreadable = false;
    this.#state = 'starting';
    this.#reason = undefined;
    this.#failures = 0;
  }

  /** @returns when another node has the slot, or none of it works any more */
  async #lead(seen: SlotView): Promise<void> {
    const databaseUrl = this.settings.databaseDirectUrl ?? this.settings.databaseUrl;
    const stream = new ChangeStream(
      { databaseUrl, slot: seen.name, publication, confirmed: seen.confirmed },
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
      this.#failures = 0;
      this.#say('log', 'this node reads the change feed');
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

  /** This node reads. */
  async #begin(seen: SlotView, over: AbortSignal): Promise<void> {
    this.#gaps = undefined;
    await this.#cover(seen);
    this.#state = 'leading';
    while (!over.aborted) {
      if (this.#lag.seconds * 1_000 > silenceMs) throw new Error('nothing comes back from the log');
      await this.slot.write(this.#lag.sent());
      await sleep(beatMs, undefined, { signal: over }).catch(() => undefined);
      if (!over.aborted) await this.#cover(seen);
    }
  }

  /**
   * What was cached before the slot was there, or while a table was not published, may miss a change: everything is cached
   * anew, once.
   */
  async #cover(seen: SlotView): Promise<void> {
    const before = this.#gaps;
    const gaps = await this.slot.gaps();
    if (!gaps) throw new Error('the publication is gone');
    const complete = gaps.length === 0;
    const covers = await this.slot.covers(seen);
    if (!covers && (complete || !before)) await this.invalidator.clear();
    if (!covers && complete) await this.slot.nowCovers(seen);
    if (covers && !complete) await this.slot.coversNoMore();
    const text = gapsText(gaps);
    if (text !== gapsText(before ?? [])) this.#say('warn', text);
    this.#gaps = gaps;
  }

  #health(): HealthState {
    const state = this.#state;
    if (state === 'off') return { status: 'up', state };
    if (state === 'unsupported' || state === 'starting')
      return { status: 'degraded', state, ...(this.#reason && { reason: this.#reason }) };
    if (state === 'leading' && this.#gaps?.length)
      return { status: 'degraded', state, reason: 'the publication lacks a table' };
    return { status: 'up', state };
  }

  /** Once, until there is something else to say. */
  #say(level: 'log' | 'warn', text: string): void {
    if (text !== this.#said) this.#logger[level](text);
    this.#said = text;
  }
}
