import { type Tag } from '../../core/tags.js';
import { tagKey } from './keys.js';
import { loadWindowMs } from './lifetimes.js';
import { type RedisConnection } from './redis-connection.js';

/** What Redis has of a row: its value, or a ticket that is now left, and whether another reader is loading. */
export type RowFound =
  readonly [others: 0 | 1] | readonly [body: string, stamp: string, freshMs: number, keepMs: number];

/** One row to be looked up. */
export interface RowRead {
  readonly row: Tag;
  readonly coarse: Tag;
  /** Names the ticket that a miss leaves. */
  readonly nonce: string;
  /** How long past freshness a value may be, in ms; `-inf`: none is wanted. */
  readonly staleMs: string;
}

interface RowReply {
  readonly found: RowFound;
  readonly coarseStamp: string;
}

interface PendingRead {
  readonly read: RowRead;
  readonly resolve: (answer: RowReply) => void;
  readonly reject: (error: Error) => void;
}

/** Reads that have been asked for and not been sent. */
interface Batch {
  readonly gen: string;
  readonly waiting: PendingRead[];
}

/** So many rows in one command at most: Redis does nothing else meanwhile. */
const maxRows = 32;

/**
 * Reads that are asked for at the same moment go out as one command, which costs both sides little more than a single one.
 * A read that is alone does not wait for others: what there is is sent as soon as the running code has come to its end.
 */
export class RowReads {
  /** By the entity's coarse tag. */
  readonly #open = new Map<Tag, Batch>();

  constructor(private readonly connection: RedisConnection) {}

  /** @throws {LevelUnavailableError} */
  read(gen: string, read: RowRead): Promise<RowReply> {
    return new Promise((resolve, reject) => this.#batch(gen, read.coarse).waiting.push({ read, resolve, reject }));
  }

  #batch(gen: string, coarse: Tag): Batch {
    const open = this.#open.get(coarse);
    if (open?.gen === gen) return open;
    const batch: Batch = { gen, waiting: [] };
    this.#open.set(coarse, batch);
    process.nextTick(() => {
      if (this.#open.get(coarse) === batch) this.#open.delete(coarse);
      const { waiting } = batch;
      for (let at = 0; at < waiting.length; at += maxRows)
        void this.#send(gen, coarse, waiting.slice(at, at + maxRows));
    });
    return batch;
  }

  async #send(gen: string, coarse: Tag, waiting: readonly PendingRead[]): Promise<void> {
    try {
      const keys = [tagKey(gen, coarse), ...waiting.map(({ read }) => tagKey(gen, read.row))];
      const each = waiting.flatMap(({ read }) => [read.nonce, read.staleMs]);
      const answer = await this.connection.run(gen, 'getRows', keys, [String(loadWindowMs), ...each]);
      const [coarseStamp, ...found] = answer as [string, ...RowFound[]];
      waiting.forEach(({ resolve }, i) => resolve({ found: found[i]!, coarseStamp }));
    } catch (error) {
      for (const { reject } of waiting) reject(error as Error);
    }
  }
}
