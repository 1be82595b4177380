import { Injectable } from '@nestjs/common';
import { type QueryRunner } from 'typeorm';
import { type EntityRule } from '../../cache/index.js';
import { type PolicyName } from '../../config/index.js';
import { type CommitPlan } from '../policies/commit-plan.js';
import { type Stamps } from '../policies/stamp-reader.js';
import { type Frame, type LockedRow } from './frame.js';
import { type Reread } from './row-reader.js';

/** What there is to be known of rows just before they are committed. */
export interface Look {
  readonly reread: Reread;
  /** The rows' stamps, under write-through only. */
  readonly stamps: Stamps;
}

/** The state of one QueryRunner's transaction. */
export interface OpenTransaction {
  /** Outermost first: one per savepoint. */
  readonly frames: Frame[];
  readonly policyOf: (entity: string) => PolicyName;
  /** How many statements have been sent. */
  statements: number;
  /** A row as the statement of that number has read it: as it will be committed, while no other statement follows. */
  lastLook?: Look & { readonly statement: number; readonly entity: string };
  plan?: CommitPlan;
  /** Everything before COMMIT went well, so COMMIT was sent: without an answer its outcome is unknown. */
  committing: boolean;
}

/** The transactions that are under way, by the QueryRunner that each of them has to itself. */
@Injectable()
export class OpenTransactions extends WeakMap<QueryRunner, OpenTransaction> {}

/** What is known of a row that one of the transaction's frames has locked. */
export function lockedIn(
  { frames }: OpenTransaction,
  rule: Pick<EntityRule<object>, 'entity'>,
  id: string | number,
): LockedRow | undefined {
  return frames.map((frame) => frame.locked(rule, id)).find((row) => row !== undefined);
}
