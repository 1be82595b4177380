import type pg from 'pg';
import { type DataSource } from 'typeorm';

export interface PoolUse {
  readonly busy: number;
  readonly idle: number;
  /** For a connection. */
  readonly waiting: number;
}

/** How the pool of this data source is used right now. */
export function poolUse({ driver }: DataSource): PoolUse {
  const { totalCount, idleCount, waitingCount } = (driver as unknown as { readonly master: pg.Pool }).master;
  return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
}
