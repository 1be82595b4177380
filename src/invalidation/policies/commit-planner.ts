import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { EntityRules, MemoryLevel, RedisTags, rowTags, type Tag } from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { compare, policies, type PolicyName } from '../../policies/index.js';
import { Acknowledgements } from '../bus/acknowledgements.js';
import { Invalidator } from '../invalidator.js';
import { OwnWrites } from '../own-writes.js';
import { type EntityChanges, Frame } from '../subscriber/frame.js';
import { type OpenTransaction } from '../subscriber/open-transactions.js';
import { type Reread, rereadRows } from '../subscriber/row-reader.js';
import { type CommitPlan, nothingToDo } from './commit-plan.js';
import { identify } from './identify.js';
import { type Changed, PendingWrite, type Reached, type Transaction } from './pending-write.js';

type Described = readonly [EntityChanges, Reread];

/**
 * What a transaction has changed is read before its COMMIT, under the row locks, after every other statement; each policy
 * then says what becomes of it. What is stored is what an ordinary load reads once the COMMIT and its fence are answered,
 * with its own snapshot as proof: nothing that a writer believes to have written is ever stored.
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
    this.#reached = { settings, rules, tags, l1, invalidator, acknowledgements };
  }

  async plan(manager: EntityManager, transaction: OpenTransaction): Promise<CommitPlan> {
    const { policyOf, longestLeaseMs } = transaction;
    const changes = toldOf(transaction);
    if (changes.length === 0) return nothingToDo;
    let looks = await this.#look(manager, changes, transaction);
    let writer = looks.find(([, { writer }]) => writer)?.[1].writer ?? (await identify(manager));
    if (writer.deferred) {
      // What would fire at COMMIT fires now, so that the rows are read as they will be.
      await manager.query('SET CONSTRAINTS ALL IMMEDIATE');
      looks = await this.#look(manager, changes, transaction);
      writer = looks.find(([, { writer }]) => writer)?.[1].writer ?? writer;
    }
    const own = this.ownWrites.begin(writer.xid);
    const writes = this.#byPolicy(looks, policyOf, { manager, writer, longestLeaseMs, own });
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
  #byPolicy(looks: readonly Described[], policyOf: OpenTransaction['policyOf'], of: Transaction): PendingWrite[] {
    const byPolicy = new Map<PolicyName, Changed[]>();
    for (const [change, look] of looks) {
      const policy = policyOf(change.rule.entity);
      const changed = byPolicy.get(policy) ?? [];
      byPolicy.set(policy, [...changed, describe(change, look)]);
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
      looks.push([change, seen ?? (await rereadRows(manager, this.rules, rule, [...ids])).reread]);
    }
    return looks;
  }
}

/** What it has changed so far, of entities whose writers tell of it. */
function toldOf({ frames, policyOf }: OpenTransaction): EntityChanges[] {
  const whole = new Frame();
  for (const frame of frames) whole.absorb(frame);
  return whole.changes.filter(({ rule }) => policies[policyOf(rule.entity)].tellsOfWrites);
}

const unseen: Reread = { images: new Map(), writer: undefined };

/** What the transaction's last statement has read, if it is all that has changed of the entity. */
function seenLast({ lastLook, statements }: OpenTransaction, { rule, ids }: EntityChanges): Reread | undefined {
  if (lastLook?.statement !== statements || lastLook.entity !== rule.entity) return undefined;
  return [...ids].every((id) => lastLook.reread.images.has(id)) ? lastLook.reread : undefined;
}

function describe({ rule, ids, inserted, oldListTags, unknown }: EntityChanges, { images }: Reread): Changed {
  if (unknown || [...inserted].some((id) => images.get(id)?.replaced ?? true))
    return { rule, ids: [], rows: [], others: [rowTags(rule.entity, '').coarse] };
  const others = new Set<Tag>(oldListTags);
  for (const { lists } of images.values()) for (const tag of lists) others.add(tag);
  const rows = [...ids].map((id) => rowTags(rule.entity, id).tag);
  return { rule, ids: [...ids], rows, others: [...others] };
}
