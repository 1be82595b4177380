import pg from 'pg';
import { type DataSource } from 'typeorm';
import { DatabaseBusyError } from './database.errors.js';

type ConnectCallback = Parameters<pg.Pool['connect']>[0];

/** How long it is remembered that it was crowded, in ms. */
const memoryMs = 500;

/** A request that waits longer than this, in ms, is a sign of a crowd, however few wait. */
const crowdedMs = 250;

/**
 * A pool in which at most `queueSize` requests wait for a connection, in the order in which they came; further ones are
 * refused at once. A queue without a limit would only make every request late.
 * @see Nygard, "Release It!", 2018: bulkheads, load shedding
 */
export function boundedPool(queueSize: number): typeof pg.Pool {
  return class BoundedPool extends pg.Pool {
    #crowdedAtMs = Number.NEGATIVE_INFINITY;

    /** Whether more than half of those who may wait do so, or one had to wait for long, now or a moment ago. */
    get isCrowded(): boolean {
      return this.#isHalfFull || performance.now() - this.#crowdedAtMs < memoryMs;
    }

    /** The pool may queue, until the next tick, those for whom a connection is idle or can be opened. */
    get #free(): number {
      return this.idleCount + this.options.max - this.totalCount;
    }

    get #isHalfFull(): boolean {
      return this.waitingCount > queueSize / 2 + this.#free;
    }

    override connect(): Promise<pg.PoolClient>;
    override connect(callback: ConnectCallback): void;
    override connect(callback?: ConnectCallback): Promise<pg.PoolClient> | void {
      if (this.#isHalfFull) this.#crowdedAtMs = performance.now();
      if (this.waitingCount < queueSize + this.#free)
        return callback ? super.connect(this.#noting(callback)) : super.connect();
      const refusal = new DatabaseBusyError(queueSize);
      if (!callback) return Promise.reject(refusal);
      callback(refusal, undefined, () => undefined);
    }

    /** The ORM's way to connect; who awaits a connection is not one of many. */
    #noting(callback: ConnectCallback): ConnectCallback {
      const askedAtMs = performance.now();
      return (...connected) => {
        const nowMs = performance.now();
        if (nowMs - askedAtMs > crowdedMs) this.#crowdedAtMs = nowMs;
        callback(...connected);
      };
    }
  };
}

/** The pool of a data source, where it has one (TypeORM keeps it to itself). */
export const poolOf = ({ driver }: DataSource): (pg.Pool & { readonly isCrowded?: boolean }) | undefined =>
  (driver as { readonly master?: pg.Pool }).master;

export const isCrowded = (dataSource: DataSource): boolean => poolOf(dataSource)?.isCrowded === true;
