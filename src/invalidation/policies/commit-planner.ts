import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { EntityRules, MemoryLevel, RedisTags, rowTags, type Tag } from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { compare, policies, type PolicyName } from '../../policies/index.js';
import { Acknowledgements } from '../bus/acknowledgements.js';
import { Invalidator } from '../invalidator.js';
import { OwnWrites } from '../own-writes.js';
import { type EntityChanges, type Frame } from '../subscriber/frame.js';
import { type OpenTransaction } from '../subscriber/open-transactions.js';
import { type Reread, rereadRows } from '../subscriber/row-reader.js';
import { type CommitPlan, nothingToDo } from './commit-plan.js';
import { identify } from './identify.js';
import { type Changed, PendingWrite, type Reached, type Transaction } from './pending-write.js';

type Described = readonly [EntityChanges, Reread];

/**
 * What a transaction has changed is read before its COMMIT, under the row locks, after every other statement; each policy
 * then says what becomes of it. What is stored is what was read there, of rows whose version is the transaction's own, once
 * it has committed; and only if Redis had the fence before: a fence behind the COMMIT may come behind a later writer's, too.
 */
@Injectable()
export class CommitPlanner {
  readonly #reached: Reached;

  constructor(
    settings: Settings,
    private readonly rules: EntityRules,
    tags: RedisTags,
    l1: MemoryLevel,
    invalidator: Invalidator,
    acknowledgements: Acknowledgements,
    private readonly ownWrites: OwnWrites,
  ) {
    this.#reached = { settings, tags, l1, invalidator, acknowledgements };
  }

  async plan(manager: EntityManager, frame: Frame, transaction: OpenTransaction): Promise<CommitPlan> {
    const { policyOf, longestLeaseMs } = transaction;
    // What is under way has been announced, and may be sent behind what is read here.
    if (transaction.statements !== transaction.answered) transaction.overtaken = true;
    transaction.plannedAt = transaction.statements;
    const changes = frame.changes.filter(({ rule }) => policies[policyOf(rule.entity)].tellsOfWrites);
    if (changes.length === 0) return nothingToDo;
    let looks = await this.#look(manager, changes, transaction);
    const writerOf = () => looks.find(([, { writer }]) => writer)?.[1].writer;
    let writer = writerOf() ?? (await asOne(transaction, () => identify(manager)));
    if (writer.deferred) {
      // What would fire at COMMIT fires now, so that the rows are read as they will be.
      await asOne(transaction, () => manager.query('SET CONSTRAINTS ALL IMMEDIATE'));
      looks = await this.#look(manager, changes, transaction);
      writer = writerOf() ?? writer;
    }
    const own = this.ownWrites.begin(writer.xid);
    const writes = this.#byPolicy(looks, transaction, { manager, writer, longestLeaseMs, own });
    const each = async (step: 'committed' | 'outcomeUnknown' | 'rolledBack') => {
      try {
        for (const write of writes) await write.policy[step](write);
      } finally {
        own.end();
      }
    };
    try {
      for (const write of writes) await write.policy.beforeCommit(write);
    } catch (error) {
      await each('rolledBack');
      throw error;
    }
    return {
      committed: () => each('committed'),
      unknown: () => each('outcomeUnknown'),
      rolledBack: () => each('rolledBack'),
    };
  }

  /** The strictest first: it may fail, and a fence that is sent with the COMMIT is sent last. */
  #byPolicy(looks: readonly Described[], { policyOf, altered }: OpenTransaction, of: Transaction): PendingWrite[] {
    const byPolicy = new Map<PolicyName, Changed[]>();
    for (const [change, look] of looks) {
      const policy = policyOf(change.rule.entity);
      const changed = byPolicy.get(policy) ?? [];
      byPolicy.set(policy, [...changed, describe(change, altered ? { ...look, snapshot: undefined } : look)]);
    }
    return [...byPolicy]
      .sort(([a], [b]) => compare(b, a))
      .map(([policy, changed]) => new PendingWrite(policies[policy], changed, of, this.#reached));
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
      const read = async () => (await rereadRows(manager, this.rules, rule, [...ids])).reread;
      const { relations } = manager.connection.getMetadata(rule.target);
      looks.push([change, seen ?? (await asOne(transaction, read, relations.length > 0))]);
    }
    return looks;
  }
}

const unseen: Reread = { images: new Map(), writer: undefined, snapshot: undefined };

/** What the transaction's last statement has read, if it is all that has changed of the entity. */
function seenLast({ lastLook, statements }: OpenTransaction, { rule, ids }: EntityChanges): Reread | undefined {
  if (lastLook?.statement !== statements || lastLook.entity !== rule.entity) return undefined;
  return [...ids].every((id) => lastLook.reread.images.has(id)) ? lastLook.reread : undefined;
}

function describe({ rule, ids, inserted, oldListTags, unknown }: EntityChanges, reread: Reread): Changed {
  const { images, snapshot } = reread;
  const { coarse } = rowTags(rule.entity, '');
  if (unknown || [...inserted].some((id) => images.get(id)?.replaced))
    return { coarse, rows: new Map(), others: [coarse], snapshot };
  const others = new Set<Tag>(oldListTags);
  for (const { lists } of images.values()) for (const tag of lists) others.add(tag);
  const rows = new Map([...ids].map((id) => [rowTags(rule.entity, id).tag, images.get(id)?.body]));
  return { coarse, rows, others: [...others], snapshot };
}

/** A statement of the plan itself; whatever else is announced meanwhile has overtaken it. @param several it may take more than one */
async function asOne<T>(transaction: OpenTransaction, ask: () => Promise<T>, several = false): Promise<T> {
  const before = transaction.statements;
  const answer = await ask();
  const sent = transaction.statements - before;
  transaction.plannedAt = (transaction.plannedAt ?? before) + (several ? sent : 1);
  return answer;
}
