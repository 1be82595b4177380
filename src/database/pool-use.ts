import { type DataSource } from 'typeorm';
import { poolOf } from './bounded-pool.js';

export interface PoolUse {
  readonly busy: number;
  readonly idle: number;
  /** For a connection. */
  readonly waiting: number;
}

/** How the pool of this data source is used right now. */
export function poolUse(dataSource: DataSource): PoolUse {
  const { totalCount = 0, idleCount = 0, waitingCount = 0 } = poolOf(dataSource) ?? {};
  return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
}
