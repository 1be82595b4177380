import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import {
  lifetime,
  LevelUnavailableError,
  MemoryLevel,
  RedisTags,
  type RowStore,
  rowTags,
  type Tag,
  type Writer,
} from '../../cache/index.js';
import { type PolicyName, Settings } from '../../config/index.js';
import { unavailable } from '../../http/index.js';
import { Acknowledgements } from '../bus/acknowledgements.js';
import { Invalidator } from '../invalidator.js';
import { type EntityChanges, type Frame } from '../subscriber/frame.js';
import { type Look, type OpenTransaction } from '../subscriber/open-transactions.js';
import { rereadRows } from '../subscriber/row-reader.js';
import { type CommitPlan, nothingToDo } from './commit-plan.js';
import { identify } from './identify.js';
import { noStamps, StampReader, type Stamps } from './stamp-reader.js';

/** What a transaction has changed of one entity, as tags and values. */
interface Changed {
  readonly policy: PolicyName;
  readonly rows: readonly { readonly tag: Tag; readonly coarse: Tag; readonly body: string }[];
  /** Lists, and the coarse tag where the rows are not known. */
  readonly others: readonly Tag[];
  /** Who changes it, where the rows told. */
  readonly writer: Writer | undefined;
  /** Write-through only: the rows' stamps under their locks. */
  readonly stamps: Stamps;
}

/**
 * The writer's side of the policies. Before COMMIT, under the row locks: `strict` fences (and without Redis the
 * transaction fails), `write-through` reads the stamps. After it: `strict` releases, `write-through` fences and stores
 * in one step, `invalidate` fences, `ttl` does nothing.
 */
@Injectable()
export class CommitPlanner {
  constructor(
    private readonly settings: Settings,
    private readonly tags: RedisTags,
    private readonly l1: MemoryLevel,
    private readonly invalidator: Invalidator,
    private readonly acknowledgements: Acknowledgements,
    private readonly stamps: StampReader,
  ) {}

  async plan(manager: EntityManager, frame: Frame, transaction: OpenTransaction): Promise<CommitPlan> {
    const { policyOf } = transaction;
    const changes = frame.changes.filter(({ rule }) => policyOf(rule.entity) !== 'ttl');
    if (changes.length === 0) return nothingToDo;
    const changed: Changed[] = [];
    for (const change of changes) changed.push(await this.#describe(manager, change, transaction));
    const writer = changed.find((one) => one.writer)?.writer ?? (await identify(manager));
    const strict = changed.filter(({ policy }) => policy === 'strict');
    const weak = changed.filter(({ policy }) => policy !== 'strict');
    const fenced = strict.length > 0 ? await this.#fence(strict, writer) : noStamps;
    return {
      committed: async () => {
        await Promise.all([this.#release(strict, fenced, writer), this.#invalidate(weak, writer)]);
      },
      unknown: () => this.#invalidate(weak.map(unproven), writer),
      rolledBack: async () => {
        if (strict.length > 0) await quietly(this.tags.rolledBack(allTags(strict), writer.xid));
      },
    };
  }

  async #describe(manager: EntityManager, changes: EntityChanges, transaction: OpenTransaction): Promise<Changed> {
    const { rule, ids, inserted, oldListTags } = changes;
    const policy = transaction.policyOf(rule.entity);
    const coarse = [rowTags(rule.entity, '').coarse];
    if (changes.unknown) return { policy, rows: [], others: coarse, writer: undefined, stamps: noStamps };
    const { reread, stamps } = seenLast(transaction, changes) ?? (await this.#look(manager, changes, policy));
    const { images, writer } = reread;
    if ([...inserted].some((id) => images.get(id)?.replaced))
      return { policy, rows: [], others: coarse, writer, stamps: noStamps };
    const others = new Set(oldListTags);
    for (const { lists } of images.values()) for (const tag of lists) others.add(tag);
    const rows = [...ids].map((id) => ({ ...rowTags(rule.entity, id), body: images.get(id)?.body ?? 'null' }));
    return { policy, rows, others: [...others], writer, stamps };
  }

  /** Under the row locks: while Redis is asked, the rows are read again. */
  async #look(manager: EntityManager, { rule, ids }: EntityChanges, policy: PolicyName): Promise<Look> {
    const asking = policy === 'write-through' ? this.stamps.ofRows(rule, ids) : noStamps;
    const { reread } = await rereadRows(manager, rule, [...ids]);
    return { reread, stamps: await asking };
  }

  /** Strict, before COMMIT: a writer that cannot fence must not commit. */
  async #fence(strict: readonly Changed[], writer: Writer): Promise<Stamps> {
    const tags = allTags(strict);
    const acknowledgement = this.acknowledgements.expect();
    try {
      const peeked = unique(strict.flatMap(({ rows }) => rows.map(({ coarse }) => coarse))).filter(
        (tag) => !tags.includes(tag),
      );
      const fenced = await this.tags.fence(tags, peeked, writer, acknowledgement);
      this.l1.invalidate(tags);
      await this.acknowledgements.settle(acknowledgement, fenced);
      this.invalidator.fenced(tags);
      return fenced.stamps;
    } catch (error) {
      if (!(error instanceof LevelUnavailableError)) throw error;
      throw unavailable('The cache cannot be fenced now, and the policy is strict.', error);
    }
  }

  async #release(strict: readonly Changed[], stamps: Stamps, writer: Writer): Promise<void> {
    this.l1.invalidate(allTags(strict));
    const stores = strict.flatMap((changed) => this.#stores(changed, stamps));
    await Promise.all(stores.map((store) => quietly(this.tags.release(store, writer))));
  }

  async #invalidate(weak: readonly Changed[], writer: Writer): Promise<void> {
    if (weak.length === 0) return;
    const stores = weak.flatMap((changed) => this.#stores(changed, changed.stamps));
    const stored = new Set(stores.map(({ tag }) => tag));
    const tags = allTags(weak).filter((tag) => !stored.has(tag));
    await this.invalidator.committed(tags, stores, writer);
  }

  /** The rows whose stamps are known. */
  #stores({ rows }: Changed, stamps: Stamps): RowStore[] {
    return rows.flatMap((row) => {
      const stamp = stamps.get(row.tag);
      const coarseStamp = stamps.get(row.coarse);
      if (stamp === undefined || coarseStamp === undefined) return [];
      return { ...row, stamp, coarseStamp, ...lifetime(this.settings) };
    });
  }
}

/** What the transaction's last statement has read, if it is all that has changed of the entity. */
function seenLast({ lastLook, statements }: OpenTransaction, { rule, ids }: EntityChanges): Look | undefined {
  if (lastLook?.statement !== statements || lastLook.entity !== rule.entity) return undefined;
  return [...ids].every((id) => lastLook.reread.images.has(id)) ? lastLook : undefined;
}

/** Whose outcome is not known is fenced, and not stored. */
const unproven = (changed: Changed): Changed => ({ ...changed, stamps: noStamps });
const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

const allTags = (changed: readonly Changed[]): Tag[] =>
  unique(changed.flatMap(({ rows, others }) => [...rows.map(({ tag }) => tag), ...others]));

/** The next fill repairs whatever this leaves undone. */
const quietly = (work: Promise<unknown>): Promise<unknown> => work.catch(() => undefined);
