import { type EntityManager } from 'typeorm';
import {
  lifetime,
  LevelUnavailableError,
  type MemoryLevel,
  type RedisTags,
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
import { identify } from './identify.js';

/** What a transaction has changed of one entity, as tags. */
export interface Changed {
  readonly coarse: Tag;
  /** With what readers get of each once it is committed, as JSON; undefined: the next of them has to load it. */
  readonly rows: ReadonlyMap<Tag, string | undefined>;
  /** That what readers get was seen in. */
  readonly snapshot: string | undefined;
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
  readonly tags: RedisTags;
  readonly l1: MemoryLevel;
  readonly invalidator: Invalidator;
  readonly acknowledgements: Acknowledgements;
}

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
    this.#tags = [...new Set(changed.flatMap(({ rows, others }) => [...rows.keys(), ...others]))];
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

  async tryFence(): Promise<void> {
    this.sendFence();
    this.#tickets = (await this.#fencing?.taken()) ?? noTickets;
  }

  sendFence(): void {
    this.#fencing = this.reached.invalidator.fence(this.#tags, this.transaction.writer, this.#stored());
  }

  async deliverFence(): Promise<void> {
    if (await this.#fencing?.committed()) this.#note();
  }

  async withdrawFence(): Promise<void> {
    await quietly(this.reached.tags.rolledBack(this.#tags, this.transaction.writer.xid));
  }

  forget(): void {
    this.reached.l1.invalidate(this.#tags);
  }

  /** The fills are not waited for: whatever is asked of Redis later is answered behind them. */
  store(): void {
    const { settings, tags } = this.reached;
    for (const { coarse, rows, snapshot } of this.changed) {
      for (const [tag, body] of rows) {
        const ticket = this.#tickets.get(tag);
        if (!ticket || body === undefined || snapshot === undefined || !tags.fits(body)) continue;
        void quietly(tags.fill({ tag, coarse, ticket, body, snapshot, ...lifetime(settings) }));
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

  /** The rows that are stored behind the COMMIT, with their coarse tags. */
  #stored(): ReadonlyMap<Tag, Tag> {
    const { cacheDb, cacheL2 } = this.reached.settings;
    const stored = new Map<Tag, Tag>();
    if (!this.policy.stores || !cacheDb || !cacheL2) return stored;
    for (const { coarse, rows } of this.changed)
      for (const [tag, body] of rows) if (body !== undefined) stored.set(tag, coarse);
    return stored;
  }
}

/** The next fill repairs whatever this leaves undone. */
const quietly = (work: Promise<unknown>): Promise<unknown> => work.catch(() => undefined);
