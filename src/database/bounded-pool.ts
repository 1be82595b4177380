import pg from 'pg';
import { DatabaseBusyError } from './database.errors.js';

type Waiting = Parameters<pg.Pool['connect']>[0];

/**
 * A pool at which so many may wait for a connection, first come, first served; whoever comes then is refused at once. A
 * queue that grows without a bound would only make everybody late.
 * @see Nygard, "Release It!", 2018: bulkheads, load shedding
 */
export function boundedPool(queueSize: number): typeof pg.Pool {
  return class BoundedPool extends pg.Pool {
    override connect(): Promise<pg.PoolClient>;
    override connect(callback: Waiting): void;
    override connect(callback?: Waiting): Promise<pg.PoolClient> | void {
      // The pool may queue, until the next tick, those for whom a connection is idle or can be opened.
      const free = this.idleCount + this.options.max - this.totalCount;
      if (this.waitingCount < queueSize + free) return callback ? super.connect(callback) : super.connect();
      const refusal = new DatabaseBusyError(queueSize);
      if (!callback) return Promise.reject(refusal);
      callback(refusal, undefined, () => undefined);
    }
  };
}
