import { type Job } from 'bull';
import { type WarmOutcome } from '../cache/index.js';
import { type Cursor, type RowId, type Strategy } from './warmer.js';

/** What somebody wants to be warm. */
export interface WarmingRequest {
  readonly entity: string;
  readonly strategy: Strategy;
  /** At most so many entries. */
  readonly limit?: number;
  /** For strategy `ids`. */
  readonly ids?: readonly RowId[];
}

export interface WarmingTally extends WarmOutcome {
  /** Spent at work, over all attempts. */
  readonly seconds: number;
}

/** How far a job has come; kept in its data after every batch, so that any node can go on from there. */
export interface WarmingPosition {
  /** The generation of the shared level: with it goes all that was filled. */
  readonly gen: string;
  readonly cursor?: Cursor;
  readonly done: number;
  readonly total: number;
  readonly tally: WarmingTally;
}

/** The data of a Bull job: this is all that a node needs to run or to continue it. */
export interface WarmingData {
  readonly request: WarmingRequest;
  readonly position?: WarmingPosition;
}

export interface WarmingResult extends WarmingTally {
  readonly cancelled: boolean;
}

export type WarmingJob = Job<WarmingData>;

/** A job by its name; anything else in the queue is the schedule's tick. */
export const warmName = 'warm';
export const tickName = 'scheduled';

export const newTally: WarmingTally = { warmed: 0, alreadyCached: 0, refused: 0, seconds: 0 };

export const added = (tally: WarmingTally, outcome: WarmOutcome, seconds: number): WarmingTally => ({
  warmed: tally.warmed + outcome.warmed,
  alreadyCached: tally.alreadyCached + outcome.alreadyCached,
  refused: tally.refused + outcome.refused,
  seconds: Math.round((tally.seconds + seconds) * 1000) / 1000,
});
