import pg from 'pg';
import { type DataSource } from 'typeorm';
import { DatabaseBusyError } from './database.errors.js';

type Waiting = Parameters<pg.Pool['connect']>[0];

/** How long it is remembered that many were waiting, in ms. */
const memoryMs = 500;

/**
 * A pool at which so many may wait for a connection, first come, first served; whoever comes then is refused at once. A
 * queue that grows without a bound would only make everybody late.
 * @see Nygard, "Release It!", 2018: bulkheads, load shedding
 */
export function boundedPool(queueSize: number): typeof pg.Pool {
  return class BoundedPool extends pg.Pool {
    #crowdedAtMs = Number.NEGATIVE_INFINITY;

    /** Whether more than half of those who may wait do so, or did a moment ago. */
    get isCrowded(): boolean {
      return performance.now() - this.#crowdedAtMs < memoryMs;
    }

    override connect(): Promise<pg.PoolClient>;
    override connect(callback: Waiting): void;
    override connect(callback?: Waiting): Promise<pg.PoolClient> | void {
      // The pool may queue, until the next tick, those for whom a connection is idle or can be opened.
      const free = this.idleCount + this.options.max - this.totalCount;
      if (this.waitingCount > queueSize / 2 + free) this.#crowdedAtMs = performance.now();
      if (this.waitingCount < queueSize + free) return callback ? super.connect(callback) : super.connect();
      const refusal = new DatabaseBusyError(queueSize);
      if (!callback) return Promise.reject(refusal);
      callback(refusal, undefined, () => undefined);
    }
  };
}

/** The pool of a data source, where it has one (TypeORM keeps it to itself). */
export const poolOf = ({ driver }: DataSource): (pg.Pool & { readonly isCrowded?: boolean }) | undefined =>
  (driver as { readonly master?: pg.Pool }).master;

export const isCrowded = (dataSource: DataSource): boolean => poolOf(dataSource)?.isCrowded === true;
