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
  type Writer,
  type WrittenRow,
} from '../../cache/index.js';
import { type PolicyName, Settings } from '../../config/index.js';
import { unavailable } from '../../http/index.js';
import { Acknowledgements } from '../bus/acknowledgements.js';
import { Invalidator } from '../invalidator.js';
import { type OwnWrite, OwnWrites } from '../own-writes.js';
import { type EntityChanges, type Frame } from '../subscriber/frame.js';
import { type Look, type OpenTransaction } from '../subscriber/open-transactions.js';
import { loadRows, rereadRows } from '../subscriber/row-reader.js';
import { type CommitPlan, nothingToDo } from './commit-plan.js';
import { identify } from './identify.js';
import { noTickets, type Tickets, TicketTaker } from './ticket-taker.js';

/** What a transaction has changed of one entity, as tags. */
interface Changed {
  readonly policy: PolicyName;
  readonly rule: EntityRule<object>;
  readonly ids: readonly RowId[];
  readonly rows: readonly Tag[];
  /** Lists, and the coarse tag where the rows are not known. */
  readonly others: readonly Tag[];
  /** Write-through: taken under the row locks; strict: behind the fence. */
  readonly tickets: Tickets;
}

type Described = readonly [EntityChanges, Look];

/**
 * The writer's side of the policies. Before COMMIT, under the row locks, after every other statement of the transaction:
 * what is to be fenced is read; `strict` fences (and without Redis the transaction fails). After it: `invalidate` and
 * `write-through` fence, `ttl` does nothing. What `write-through` and `strict` store is what an ordinary load reads after
 * the COMMIT, with its own snapshot as proof: nothing that a writer believes to have written is ever stored.
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
    private readonly tickets: TicketTaker,
    private readonly ownWrites: OwnWrites,
  ) {}

  async plan(manager: EntityManager, frame: Frame, transaction: OpenTransaction): Promise<CommitPlan> {
    const { policyOf, longestLeaseMs } = transaction;
    const changes = frame.changes.filter(({ rule }) => policyOf(rule.entity) !== 'ttl');
    if (changes.length === 0) return nothingToDo;
    let looks = await this.#look(manager, changes, transaction);
    let writer = looks.find(([, { reread }]) => reread.writer)?.[1].reread.writer ?? (await identify(manager));
    if (writer.deferred) {
      // What would fire at COMMIT fires now, so that the rows are read as they will be.
      await manager.query('SET CONSTRAINTS ALL IMMEDIATE');
      looks = await this.#look(manager, changes, transaction);
      writer = looks.find(([, { reread }]) => reread.writer)?.[1].reread.writer ?? writer;
    }
    const changed = looks.map(([change, look]) => this.#describe(change, look, policyOf(change.rule.entity)));
    const weak = changed.filter(({ policy }) => policy !== 'strict');
    const strict = changed.filter(({ policy }) => policy === 'strict');
    const fenced = strict.length > 0 ? await this.#fence(manager, strict, writer, longestLeaseMs) : [];
    const own = this.ownWrites.begin(writer.xid);
    for (const tag of allTags(strict)) own.fenced.add(tag);
    return {
      committed: async (by) => {
        await this.#release(by, fenced);
        await this.#invalidate(by, weak, writer, own);
      },
      unknown: () => this.#invalidate(undefined, weak, writer, own),
      rolledBack: async () => {
        own.end();
        if (strict.length > 0) await quietly(this.tags.rolledBack(allTags(strict), writer.xid));
      },
    };
  }

  /** Reads changed rows again, unless the transaction's last statement has just done so; while Redis is asked. */
  async #look(
    manager: EntityManager,
    changes: readonly EntityChanges[],
    transaction: OpenTransaction,
  ): Promise<Described[]> {
    const looks: Described[] = [];
    for (const change of changes) {
      const { rule, ids, unknown } = change;
      const seen = unknown ? unseen : seenLast(transaction, change);
      if (seen) looks.push([change, seen]);
      else {
        const through = transaction.policyOf(rule.entity) === 'write-through';
        const asking = through ? this.tickets.ofRows(rule, ids) : noTickets;
        const { reread } = await rereadRows(manager, this.rules, rule, [...ids]);
        looks.push([change, { reread, tickets: await asking }]);
      }
    }
    return looks;
  }

  #describe({ rule, ids, inserted, oldListTags, unknown }: EntityChanges, look: Look, policy: PolicyName): Changed {
    const { images } = look.reread;
    if (unknown || [...inserted].some((id) => images.get(id)?.replaced))
      return { policy, rule, ids: [], rows: [], others: [rowTags(rule.entity, '').coarse], tickets: noTickets };
    const others = new Set(oldListTags);
    for (const { lists } of images.values()) for (const tag of lists) others.add(tag);
    const rows = [...ids].map((id) => rowTags(rule.entity, id).tag);
    return { policy, rule, ids: [...ids], rows, others: [...others], tickets: look.tickets };
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
  ): Promise<readonly Changed[]> {
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

  async #fenceNow(strict: readonly Changed[], writer: Writer, longestLeaseMs: number): Promise<readonly Changed[]> {
    const tags = allTags(strict);
    const acknowledgement = this.acknowledgements.expect();
    try {
      this.tags.assertInForce(writer);
      // On the same connection the tickets are taken right behind the fence.
      const fencing = this.tags.fence(tags, writer, acknowledgement);
      const tickets = strict.map(({ rule, ids }) => this.tickets.ofRows(rule, ids));
      const fenced = await fencing;
      this.l1.invalidate(tags);
      await this.acknowledgements.settle(acknowledgement, fenced, longestLeaseMs);
      this.invalidator.fenced(tags);
      return await Promise.all(strict.map(async (changed, i) => ({ ...changed, tickets: await tickets[i]! })));
    } finally {
      this.acknowledgements.forget(acknowledgement);
    }
  }

  async #release(manager: EntityManager, strict: readonly Changed[]): Promise<void> {
    if (strict.length === 0) return;
    this.l1.invalidate(allTags(strict));
    const rows = await this.#load(manager, strict);
    await Promise.all(rows.map((row) => quietly(this.tags.fill(row))));
  }

  /** @param manager undefined where the outcome is not known: then it is fenced, and nothing is stored */
  async #invalidate(
    manager: EntityManager | undefined,
    weak: readonly Changed[],
    writer: Writer,
    own: OwnWrite,
  ): Promise<void> {
    if (weak.length === 0) return own.end();
    const rows = manager ? await this.#load(manager, weak) : [];
    const stored = new Set(rows.map(({ tag }) => tag));
    const all = allTags(weak);
    const tags = all.filter((tag) => !stored.has(tag));
    if (await this.invalidator.committed(tags, rows, writer)) for (const tag of all) own.fenced.add(tag);
    own.end();
  }

  /** What there are tickets for, as readers would load it now. */
  async #load(manager: EntityManager, changed: readonly Changed[]): Promise<WrittenRow[]> {
    const rows: WrittenRow[] = [];
    for (const { rule, ids, tickets } of changed) {
      if (tickets.size === 0) continue;
      try {
        const loaded = await loadRows(manager, rule, ids);
        const snapshot = loaded && provenSnapshot(loaded);
        if (!loaded || snapshot === undefined) continue;
        for (const [id, view] of loaded.value) {
          const { tag, coarse } = rowTags(rule.entity, this.rules.spell(rule.entity, id));
          const ticket = tickets.get(tag);
          if (!ticket || view === null || view === undefined) continue;
          const body = JSON.stringify(view);
          if (this.tags.fits(body)) rows.push({ tag, coarse, ticket, body, snapshot, ...lifetime(this.settings) });
        }
      } catch (error) {
        this.#logger.debug(`written ${rule.entity} are fenced, and not loaded: ${(error as Error).message}`);
      }
    }
    return rows;
  }
}

const unseen: Look = { reread: { images: new Map(), writer: undefined }, tickets: noTickets };

/** What the transaction's last statement has read, if it is all that has changed of the entity. */
function seenLast({ lastLook, statements }: OpenTransaction, { rule, ids }: EntityChanges): Look | undefined {
  if (lastLook?.statement !== statements || lastLook.entity !== rule.entity) return undefined;
  return [...ids].every((id) => lastLook.reread.images.has(id)) ? lastLook : undefined;
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

const allTags = (changed: readonly Changed[]): Tag[] =>
  unique(changed.flatMap(({ rows, others }) => [...rows, ...others]));

/** The next fill repairs whatever this leaves undone. */
const quietly = (work: Promise<unknown>): Promise<unknown> => work.catch(() => undefined);
