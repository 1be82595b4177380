import { Logger } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import {
  type EntityRule,
  type EntityRules,
  lifetime,
  LevelUnavailableError,
  type MemoryLevel,
  provenSnapshot,
  type RedisTags,
  type RowId,
  rowTags,
  type Tag,
  type Tickets,
  type Writer,
} from '../../cache/index.js';
import { type Settings } from '../../config/index.js';
import { unavailable } from '../../http/index.js';
import { type Policy, type Write } from '../../policies/index.js';
import { type Acknowledgements } from '../bus/acknowledgements.js';
import { type Fencing, type Invalidator } from '../invalidator.js';
import { type OwnWrite } from '../own-writes.js';
import { loadRows } from '../subscriber/row-reader.js';
import { identify } from './identify.js';

/** What a transaction has changed of one entity, as tags. */
export interface Changed {
  readonly rule: EntityRule<object>;
  readonly ids: readonly RowId[];
  readonly rows: readonly Tag[];
  /** Lists, and the coarse tag where the rows are not known. */
  readonly others: readonly Tag[];
}

/** The transaction that has made the changes. */
export interface Transaction {
  readonly manager: EntityManager;
  readonly writer: Writer;
  readonly longestLeaseMs: number;
  readonly own: OwnWrite;
}

/** What is told, asked and filled. */
export interface Reached {
  readonly settings: Settings;
  readonly rules: EntityRules;
  readonly tags: RedisTags;
  readonly l1: MemoryLevel;
  readonly invalidator: Invalidator;
  readonly acknowledgements: Acknowledgements;
}

const logger = new Logger('Invalidation');
const noTickets: Tickets = new Map();

/** The steps of one transaction's changes under one policy, which says in which order they are taken. */
export class PendingWrite implements Write {
  readonly #tags: readonly Tag[];
  #fencing: Fencing | undefined;
  #tickets = noTickets;

  constructor(
    readonly policy: Policy,
    private readonly changed: readonly Changed[],
    private readonly transaction: Transaction,
    private readonly reached: Reached,
  ) {
    this.#tags = [...new Set(changed.flatMap(({ rows, others }) => [...rows, ...others]))];
  }

  /**
   * A writer that cannot fence must not commit. Where a generation has just ended, the writer waits for the next one, looks
   * again which is in force, and fences there: clearing the cache fails no write.
   */
  async fence(): Promise<void> {
    const { manager, writer } = this.transaction;
    try {
      await this.#fence(writer).catch(async (error: unknown) => {
        const hasEnded = error instanceof LevelUnavailableError && error.reason === 'no-epoch';
        if (!hasEnded || !(await this.reached.tags.untilInForce())) throw error;
        await this.#fence(await identify(manager));
      });
    } catch (error) {
      if (!(error instanceof LevelUnavailableError)) throw error;
      throw unavailable(`The cache cannot be fenced now, and the policy is ${this.policy.name}.`, error);
    }
  }

  sendFence(): void {
    this.#fencing = this.reached.invalidator.fence(this.#tags, this.transaction.writer, this.#stored());
  }

  async deliverFence(): Promise<void> {
    const tickets = await this.#fencing?.committed();
    if (!tickets) return;
    this.#tickets = tickets;
    this.#note();
  }

  async withdrawFence(): Promise<void> {
    await quietly(this.reached.tags.rolledBack(this.#tags, this.transaction.writer.xid));
  }

  forget(): void {
    this.reached.l1.invalidate(this.#tags);
  }

  /** The fills are sent and not waited for: whatever is asked of Redis later is answered behind them. */
  async store(): Promise<void> {
    const { rules, settings, tags } = this.reached;
    for (const { rule, ids, rows } of this.changed) {
      if (!rows.some((tag) => this.#tickets.has(tag))) continue;
      try {
        const loaded = await loadRows(this.transaction.manager, rule, ids);
        const snapshot = loaded && provenSnapshot(loaded);
        if (!loaded || snapshot === undefined) continue;
        for (const [id, view] of loaded.value) {
          const { tag, coarse } = rowTags(rule.entity, rules.spell(rule.entity, id));
          const ticket = this.#tickets.get(tag);
          if (!ticket || view === null || view === undefined) continue;
          const body = JSON.stringify(view);
          if (!tags.fits(body)) continue;
          void quietly(tags.fill({ tag, coarse, ticket, body, snapshot, ...lifetime(settings) }));
        }
      } catch (error) {
        logger.debug(`written ${rule.entity} are fenced, and not loaded: ${(error as Error).message}`);
      }
    }
  }

  async #fence(writer: Writer): Promise<void> {
    const { acknowledgements, invalidator, l1, tags } = this.reached;
    const acknowledgement = acknowledgements.expect();
    try {
      tags.assertInForce(writer);
      const fenced = await tags.fence(this.#tags, writer, { acknowledgement, rows: this.#stored() });
      l1.invalidate(this.#tags);
      await acknowledgements.settle(acknowledgement, fenced, this.transaction.longestLeaseMs);
      invalidator.fenced(this.#tags);
      this.#tickets = fenced.tickets;
      this.#note();
    } finally {
      acknowledgements.forget(acknowledgement);
    }
  }

  #note(): void {
    for (const tag of this.#tags) this.transaction.own.fenced.add(tag);
  }

  /** The rows that are loaded and stored after the COMMIT, with their coarse tags. */
  #stored(): ReadonlyMap<Tag, Tag> {
    const { cacheDb, cacheL2 } = this.reached.settings;
    const stored = this.policy.stores && cacheDb && cacheL2 ? this.changed : [];
    return new Map(stored.flatMap(({ rule, rows }) => rows.map((tag) => [tag, rowTags(rule.entity, '').coarse])));
  }
}

/** The next fill repairs whatever this leaves undone. */
const quietly = (work: Promise<unknown>): Promise<unknown> => work.catch(() => undefined);
