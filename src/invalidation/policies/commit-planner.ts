import { Injectable, Logger } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import {
  type EntityRule,
  EntityRules,
  lifetime,
  LevelUnavailableError,
  MemoryLevel,
  provenSnapshot,
  RedisTags,
  type RowId,
  rowTags,
  type Tag,
  type Tickets,
  type Writer,
} from '../../cache/index.js';
import { type PolicyName, Settings } from '../../config/index.js';
import { unavailable } from '../../http/index.js';
import { Acknowledgements } from '../bus/acknowledgements.js';
import { Invalidator } from '../invalidator.js';
import { OwnWrites } from '../own-writes.js';
import { type EntityChanges, type Frame } from '../subscriber/frame.js';
import { type OpenTransaction } from '../subscriber/open-transactions.js';
import { loadRows, type Reread, rereadRows } from '../subscriber/row-reader.js';
import { type CommitPlan, nothingToDo } from './commit-plan.js';
import { identify } from './identify.js';

/** What a transaction has changed of one entity, as tags. */
interface Changed {
  readonly policy: PolicyName;
  readonly rule: EntityRule<object>;
  readonly ids: readonly RowId[];
  readonly rows: readonly Tag[];
  /** Lists, and the coarse tag where the rows are not known. */
  readonly others: readonly Tag[];
}

type Described = readonly [EntityChanges, Reread];

/**
 * The writer's side of the policies. Before COMMIT, under the row locks, after every other statement of the transaction:
 * what is to be fenced is read; `strict` fences (and without Redis the transaction fails). `invalidate` and
 * `write-through` send the fence together with the COMMIT, so that neither waits for the other; `ttl` does nothing. What
 * `write-through` and `strict` store is what an ordinary load reads once both are answered, with its own snapshot as
 * proof: nothing that a writer believes to have written is ever stored.
 */
@Injectable()
export class CommitPlanner {
  readonly #logger = new Logger('Invalidation');

  constructor(
    private readonly settings: Settings,
    private readonly rules: EntityRules,
    private readonly tags: RedisTags,
    private readonly l1: MemoryLevel,
    private readonly invalidator: Invalidator,
    private readonly acknowledgements: Acknowledgements,
    private readonly ownWrites: OwnWrites,
  ) {}

  async plan(manager: EntityManager, frame: Frame, transaction: OpenTransaction): Promise<CommitPlan> {
    const { policyOf, longestLeaseMs } = transaction;
    const changes = frame.changes.filter(({ rule }) => policyOf(rule.entity) !== 'ttl');
    if (changes.length === 0) return nothingToDo;
    let looks = await this.#look(manager, changes, transaction);
    let writer = looks.find(([, { writer }]) => writer)?.[1].writer ?? (await identify(manager));
    if (writer.deferred) {
      // What would fire at COMMIT fires now, so that the rows are read as they will be.
      await manager.query('SET CONSTRAINTS ALL IMMEDIATE');
      looks = await this.#look(manager, changes, transaction);
      writer = looks.find(([, { writer }]) => writer)?.[1].writer ?? writer;
    }
    const changed = looks.map(([change, look]) => this.#describe(change, look, policyOf(change.rule.entity)));
    const weak = changed.filter(({ policy }) => policy !== 'strict');
    const strict = changed.filter(({ policy }) => policy === 'strict');
    const fenced = strict.length > 0 ? await this.#fence(manager, strict, writer, longestLeaseMs) : noTickets;
    const own = this.ownWrites.begin(writer.xid);
    for (const tag of allTags(strict)) own.fenced.add(tag);
    // Sent last: from here on nothing but the COMMIT itself can fail.
    const fencing = weak.length > 0 ? this.invalidator.fence(allTags(weak), writer, this.#stored(weak)) : undefined;
    const delivered = async (): Promise<Tickets> => {
      const tickets = await fencing?.committed();
      if (tickets) for (const tag of allTags(weak)) own.fenced.add(tag);
      own.end();
      return tickets ?? noTickets;
    };
    return {
      committed: async (by) => {
        if (strict.length > 0) this.l1.invalidate(allTags(strict));
        const sent = await delivered();
        await this.#store(by, changed, new Map([...fenced, ...sent]));
      },
      unknown: async () => void (await delivered()),
      rolledBack: async () => {
        own.end();
        if (strict.length > 0) await quietly(this.tags.rolledBack(allTags(strict), writer.xid));
      },
    };
  }

  /** Reads changed rows again, unless the transaction's last statement has just done so. */
  async #look(
    manager: EntityManager,
    changes: readonly EntityChanges[],
    transaction: OpenTransaction,
  ): Promise<Described[]> {
    const looks: Described[] = [];
    for (const change of changes) {
      const { rule, ids, unknown } = change;
      const seen = unknown ? unseen : seenLast(transaction, change);
      looks.push([change, seen ?? (await rereadRows(manager, this.rules, rule, [...ids])).reread]);
    }
    return looks;
  }

  #describe(change: EntityChanges, { images }: Reread, policy: PolicyName): Changed {
    const { rule, ids, inserted, oldListTags, unknown } = change;
    if (unknown || [...inserted].some((id) => images.get(id)?.replaced))
      return { policy, rule, ids: [], rows: [], others: [rowTags(rule.entity, '').coarse] };
    const others = new Set(oldListTags);
    for (const { lists } of images.values()) for (const tag of lists) others.add(tag);
    const rows = [...ids].map((id) => rowTags(rule.entity, id).tag);
    return { policy, rule, ids: [...ids], rows, others: [...others] };
  }

  /**
   * Strict, before COMMIT: a writer that cannot fence must not commit. Where a generation has just ended, the writer waits for
   * the next one, looks again which is in force, and fences there: clearing the cache fails no write.
   */
  async #fence(
    manager: EntityManager,
    strict: readonly Changed[],
    writer: Writer,
    longestLeaseMs: number,
  ): Promise<Tickets> {
    try {
      return await this.#fenceNow(strict, writer, longestLeaseMs).catch(async (error: unknown) => {
        const hasEnded = error instanceof LevelUnavailableError && error.reason === 'no-epoch';
        if (!hasEnded || !(await this.tags.untilInForce())) throw error;
        return this.#fenceNow(strict, await identify(manager), longestLeaseMs);
      });
    } catch (error) {
      if (!(error instanceof LevelUnavailableError)) throw error;
      throw unavailable('The cache cannot be fenced now, and the policy is strict.', error);
    }
  }

  async #fenceNow(strict: readonly Changed[], writer: Writer, longestLeaseMs: number): Promise<Tickets> {
    const tags = allTags(strict);
    const acknowledgement = this.acknowledgements.expect();
    try {
      this.tags.assertInForce(writer);
      const fenced = await this.tags.fence(tags, writer, { acknowledgement, rows: this.#stored(strict) });
      this.l1.invalidate(tags);
      await this.acknowledgements.settle(acknowledgement, fenced, longestLeaseMs);
      this.invalidator.fenced(tags);
      return fenced.tickets;
    } finally {
      this.acknowledgements.forget(acknowledgement);
    }
  }

  /** The rows that are loaded and stored after the COMMIT, with their coarse tags. */
  #stored(changed: readonly Changed[]): ReadonlyMap<Tag, Tag> {
    const kept = this.settings.cacheDb && this.settings.cacheL2 ? changed : [];
    const storing = kept.filter(({ policy }) => policy === 'write-through' || policy === 'strict');
    return new Map(storing.flatMap(({ rule, rows }) => rows.map((tag) => [tag, rowTags(rule.entity, '').coarse])));
  }

  /**
   * Fills what there are tickets for with what readers would load now. The fills are sent and not waited for: whatever is
   * asked of Redis later is answered behind them.
   */
  async #store(manager: EntityManager, changed: readonly Changed[], tickets: Tickets): Promise<void> {
    for (const { rule, ids, rows } of changed) {
      if (!rows.some((tag) => tickets.has(tag))) continue;
      try {
        const loaded = await loadRows(manager, rule, ids);
        const snapshot = loaded && provenSnapshot(loaded);
        if (!loaded || snapshot === undefined) continue;
        for (const [id, view] of loaded.value) {
          const { tag, coarse } = rowTags(rule.entity, this.rules.spell(rule.entity, id));
          const ticket = tickets.get(tag);
          if (!ticket || view === null || view === undefined) continue;
          const body = JSON.stringify(view);
          if (!this.tags.fits(body)) continue;
          void quietly(this.tags.fill({ tag, coarse, ticket, body, snapshot, ...lifetime(this.settings) }));
        }
      } catch (error) {
        this.#logger.debug(`written ${rule.entity} are fenced, and not loaded: ${(error as Error).message}`);
      }
    }
  }
}

const noTickets: Tickets = new Map();
const unseen: Reread = { images: new Map(), writer: undefined };

/** What the transaction's last statement has read, if it is all that has changed of the entity. */
function seenLast({ lastLook, statements }: OpenTransaction, { rule, ids }: EntityChanges): Reread | undefined {
  if (lastLook?.statement !== statements || lastLook.entity !== rule.entity) return undefined;
  return [...ids].every((id) => lastLook.reread.images.has(id)) ? lastLook.reread : undefined;
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

const allTags = (changed: readonly Changed[]): Tag[] =>
  unique(changed.flatMap(({ rows, others }) => [...rows, ...others]));

/** The next fill repairs whatever this leaves undone. */
const quietly = (work: Promise<unknown>): Promise<unknown> => work.catch(() => undefined);
