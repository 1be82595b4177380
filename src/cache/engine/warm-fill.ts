import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { LevelUnavailableError, UnprovenLoadError } from '../cache.errors.js';
import { Clock } from '../clock.js';
import { lifetime } from '../core/freshness.js';
import { type Tag } from '../core/tags.js';
import { type Address, type Ticket } from '../levels/level.js';
import { RedisConnection } from '../levels/l2/redis-connection.js';
import { RedisLevel } from '../levels/l2/redis-level.js';
import { type Loaded, provenSnapshot } from '../loaded.js';
import { EntityRules } from '../rules.js';
import { queryAddress, rowAddress } from './addresses.js';

/** What became of the entries of a batch. */
export interface WarmOutcome {
  readonly warmed: number;
  readonly alreadyCached: number;
  /** Loaded, but a writer was in between every time. What it wrote is the writer's to store. */
  readonly refused: number;
}

export interface WarmRowsOptions {
  /** Keep `null` for ids without a row. Otherwise they are passed over. */
  readonly keepAbsent?: boolean;
}

interface Missing<Id> {
  readonly id: Id;
  readonly ticket: Ticket;
}

/** Commands that go out together. More of them would outlast their own deadline on a busy machine, and delay everyone's. */
const pipelineSize = 50;

/** A refused fill, or a deadline that one command of a batch missed, is worth another try; more than these are not. */
const rounds = 3;

/**
 * Fills L2 ahead of the readers, a batch at a time, by the readers' own rules: a ticket for each missing entry before
 * the load, the snapshot of the load with each fill. So a warm fill never puts old data over new. Commands go out many
 * at a time, pipelined. Where L2 cannot be used, it throws: nothing else would be warm.
 */
@Injectable()
export class WarmFill {
  constructor(
    private readonly settings: Settings,
    private readonly l2: RedisLevel,
    private readonly connection: RedisConnection,
    private readonly clock: Clock,
    private readonly rules: EntityRules,
  ) {}

  /**
   * Rows by id.
   * @param load reads those that are missing, with their snapshot, in one statement
   * @throws {LevelUnavailableError} {@link UnprovenLoadError}
   */
  async rows<Id extends string | number, T>(
    entity: string,
    ids: readonly Id[],
    load: (missing: readonly Id[]) => Promise<Loaded<ReadonlyMap<Id, T>>>,
    { keepAbsent = false }: WarmRowsOptions = {},
  ): Promise<WarmOutcome> {
    let warmed = 0;
    let alreadyCached = 0;
    let left = ids;
    for (let round = 1; left.length > 0 && round <= rounds; round += 1) {
      const gen = this.#gen();
      const missing = await this.#missing(left, (id) => rowAddress(entity, this.rules.spell(entity, id)));
      alreadyCached += left.length - missing.length;
      const { filled, refused } = await this.#fillRows(entity, missing, load, keepAbsent);
      warmed += filled;
      left = refused;
      this.#assertStill(gen, left.length);
    }
    return { warmed, alreadyCached, refused: left.length };
  }

  /**
   * The result of a query, under the same key and tags as `ReadThrough.query`.
   * @throws {LevelUnavailableError}
   */
  async query<T>(
    entity: string,
    key: string,
    tags: readonly Tag[],
    load: () => Promise<Loaded<T>>,
  ): Promise<WarmOutcome> {
    const address = queryAddress(entity, key, this.rules.dependenciesOf(tags));
    for (let round = 1; round <= rounds; round += 1) {
      const gen = this.#gen();
      const [miss] = await this.#missing([key], () => address);
      if (!miss) return { warmed: 0, alreadyCached: 1, refused: 0 };
      const startedMs = this.clock.monotonicMs();
      const loaded = await load();
      const life = lifetime(this.settings, this.clock.monotonicMs() - startedMs);
      const fill = { body: JSON.stringify(loaded.value), snapshot: snapshotOf(entity, loaded), ...life };
      const dependencies = await this.l2.fill(miss.ticket, fill);
      if (dependencies) return { warmed: 1, alreadyCached: 0, refused: 0 };
      this.#assertStill(gen, 1);
    }
    return { warmed: 0, alreadyCached: 0, refused: 1 };
  }

  /** Takes a ticket for each entry that is not fresh. */
  async #missing<Id>(ids: readonly Id[], addressOf: (id: Id) => Address): Promise<Missing<Id>[]> {
    const found = await pipelined(ids, async (id) => ({ id, read: await this.l2.read(addressOf(id)) }));
    return found.flatMap(({ id, read }) => {
      if (read.outcome === 'bypass') throw new LevelUnavailableError(read.reason, 'the shared level cannot be filled');
      return read.outcome === 'miss' ? [{ id, ticket: read.ticket }] : [];
    });
  }

  async #fillRows<Id extends string | number, T>(
    entity: string,
    missing: readonly Missing<Id>[],
    load: (missing: readonly Id[]) => Promise<Loaded<ReadonlyMap<Id, T>>>,
    keepAbsent: boolean,
  ): Promise<{ readonly filled: number; readonly refused: readonly Id[] }> {
    if (missing.length === 0) return { filled: 0, refused: [] };
    const startedMs = this.clock.monotonicMs();
    const loaded = await load(missing.map(({ id }) => id));
    const snapshot = snapshotOf(entity, loaded);
    const { value } = loaded;
    const elapsedMs = this.clock.monotonicMs() - startedMs;
    const wanted = keepAbsent ? missing : missing.filter(({ id }) => value.has(id));
    const fills = await pipelined(wanted, ({ id, ticket }) => {
      const body = JSON.stringify(value.get(id) ?? null);
      return this.l2.fill(ticket, { body, snapshot, ...lifetime(this.settings, elapsedMs) });
    });
    const refused = wanted.filter((_, at) => !fills[at]).map(({ id }) => id);
    return { filled: wanted.length - refused.length, refused };
  }

  /** @throws {LevelUnavailableError} */
  #gen(): string {
    if (!this.settings.cacheDb) throw new LevelUnavailableError('disabled', 'the db layer is switched off');
    return this.connection.gen;
  }

  /** A refusal that came from a lost connection is none. */
  #assertStill(gen: string, refused: number): void {
    if (refused > 0 && this.connection.gen !== gen)
      throw new LevelUnavailableError('no-epoch', 'the generation has changed');
  }
}

/** @throws {UnprovenLoadError} */
function snapshotOf(entity: string, loaded: Loaded<unknown>): string {
  const snapshot = provenSnapshot(loaded);
  if (snapshot === undefined) throw new UnprovenLoadError(entity);
  return snapshot;
}

/** What is sent in one tick shares a pipeline. */
async function pipelined<T, R>(values: readonly T[], send: (value: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  for (let at = 0; at < values.length; at += pipelineSize)
    answers.push(...(await Promise.all(values.slice(at, at + pipelineSize).map(send))));
  return answers;
}
