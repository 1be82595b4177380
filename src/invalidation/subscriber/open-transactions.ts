import { Injectable } from '@nestjs/common';
import { type QueryRunner } from 'typeorm';
import { type EntityRule, type RowId, type Tag } from '../../cache/index.js';
import { type CommitPlan } from '../policies/commit-plan.js';
import { type WritersRules } from '../policies/policy-registry.js';
import { type Control } from '../writes/transaction-control.js';
import { type Frame } from './frame.js';
import { type Reread } from './row-reader.js';

/** The state of one QueryRunner's transaction. */
export interface OpenTransaction extends WritersRules {
  /** Outermost first: one per savepoint. */
  readonly frames: Frame[];
  /** How many statements have been sent. */
  statements: number;
  /** Of those, the ones that may change rows and are not answered yet. */
  readonly underWay: Set<Promise<unknown>>;
  /** How the transaction, or a savepoint of it, is about to end or has ended. */
  ending?: Exclude<Control, 'begin'> | undefined;
  /** Tables may have been created, altered or dropped. */
  defines?: true;
  /** Entities that `INSERT … ON CONFLICT DO UPDATE` has been sent for. */
  readonly upserted: Set<string>;
  /** A row as the statement of that number has read it: as it will be committed, while no other statement follows. */
  lastLook?: { readonly statement: number; readonly entity: string; readonly reread: Reread };
  plan?: CommitPlan;
  /** Rows may have been changed beside the COMMIT: no plan knows which. */
  overtaken?: true;
  /** The last statement before COMMIT was sent, once it was: without an answer its outcome is unknown. */
  plannedAt?: number;
}

/** The transactions that are under way, by the QueryRunner that each of them has to itself. */
@Injectable()
export class OpenTransactions extends WeakMap<QueryRunner, OpenTransaction> {}

/** The lists of the committed image of a row that one of the transaction's frames has locked. */
export function lockedIn(
  { frames }: OpenTransaction,
  rule: Pick<EntityRule<object>, 'entity'>,
  id: RowId,
): readonly Tag[] | undefined {
  return frames.map((frame) => frame.locked(rule, id)).find((lists) => lists !== undefined);
}
