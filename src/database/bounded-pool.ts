import pg from 'pg';
import { type DataSource } from 'typeorm';
import { DatabaseBusyError } from './database.errors.js';

type ConnectCallback = Parameters<pg.Pool['connect']>[0];

/** A queue that has not been empty for this long, in ms, is a crowd: one burst is answered by then. */
const standingMs = 100;

/** A queue that has not moved for this long, in ms, waits for a database that does not answer: that is not a crowd. */
const movingMs = 250;

/**
 * A pool in which at most `queueSize` requests wait for a connection, in the order in which they came; further ones are
 * refused at once. A queue without a limit would only make every request late.
 * @see Nygard, "Release It!", 2018: bulkheads, load shedding
 */
export function boundedPool(queueSize: number): typeof pg.Pool {
  return class BoundedPool extends pg.Pool {
    #queuedSinceMs = 0;
    #movedAtMs = 0;

    constructor(options?: pg.PoolConfig) {
      super(options);
      this.on('acquire', () => {
        if (this.#queued > 0) this.#movedAtMs = performance.now();
      });
    }

    /** Whether more than half of those who may wait do so, or requests come faster than they are worked off. */
    get isCrowded(): boolean {
      if (this.#queued <= 0) return false;
      const isStanding = this.#movedAtMs - this.#queuedSinceMs > standingMs;
      const isMoving = performance.now() - this.#movedAtMs < movingMs;
      return (isStanding && isMoving) || this.#queued > queueSize / 2;
    }

    /** How many wait, without those for which a connection is idle or can be opened: the pool queues these for a tick. */
    get #queued(): number {
      return this.waitingCount - (this.idleCount + this.options.max - this.totalCount);
    }

    override connect(): Promise<pg.PoolClient>;
    override connect(callback: ConnectCallback): void;
    override connect(callback?: ConnectCallback): Promise<pg.PoolClient> | void {
      if (this.#queued <= 0) this.#queuedSinceMs = performance.now();
      if (this.#queued < queueSize) return callback ? super.connect(callback) : super.connect();
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
