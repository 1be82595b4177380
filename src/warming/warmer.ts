import { type WarmOutcome } from '../cache/index.js';

/**
 * What a warming job goes through: given `ids`; the most `recent`ly changed rows; the first pages of `lists`; `all` rows.
 */
export const strategies = ['ids', 'recent', 'lists', 'all'] as const;
export type Strategy = (typeof strategies)[number];

export type RowId = string | number;

/** Where a walk stands: plain JSON, so that another process can go on from it. */
export type Cursor = string | number | readonly (string | number)[];

/** One stretch of a walk, small enough to be loaded by one statement and filled by one pipeline. */
export interface Batch {
  /** Behind its last entry. */
  readonly cursor: Cursor;
  /** How many entries (rows or lists) it goes through. */
  readonly size: number;
  /** Fills the shared level. @throws {LevelUnavailableError} where it cannot be used */
  warm(): Promise<WarmOutcome>;
}

export interface WalkOptions {
  /** Go on behind it. */
  readonly after?: Cursor | undefined;
  /** At most so many entries. */
  readonly limit: number;
}

/** Entries in a stable order: by keyset, so that what was walked through is never held in memory. */
export interface Walk {
  /** How many entries there are, roughly: for the progress alone. */
  count(): Promise<number>;
  batches(options: WalkOptions): AsyncIterable<Batch>;
}

export type WalkRequest =
  { readonly strategy: 'ids'; readonly ids: readonly RowId[] } | { readonly strategy: Exclude<Strategy, 'ids'> };

/** Port: how the entries of one entity are found and filled. Each entity's module offers its own to `Warmers`. */
export abstract class Warmer {
  abstract readonly entity: string;

  /** Whether this may be the id of a row, there or not. */
  abstract isId(id: RowId): boolean;

  abstract walk(request: WalkRequest): Walk;
}
