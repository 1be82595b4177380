import { Injectable } from '@nestjs/common';
import { type JobCounts } from 'bull';
import { DataSource } from 'typeorm';
import { poolUse } from '../database/index.js';
import { WarmingQueue, WarmingUnavailableError } from '../warming/index.js';
import { gauge, gauges } from './instruments.js';
import { AppRegistry } from './registry.js';

/** What this node shares with others, or has only so much of: connections to the database, the queue of warming jobs. */
@Injectable()
export class ResourceMetrics {
  constructor(registry: AppRegistry, dataSource: DataSource, queue: WarmingQueue) {
    gauges(registry, 'database_pool_connections', 'Connections to PostgreSQL, by what they do', ['state'], () => {
      const { busy, idle } = poolUse(dataSource);
      return [
        [{ state: 'busy' }, busy],
        [{ state: 'idle' }, idle],
      ];
    });
    gauge(registry, 'database_pool_waiting', 'Requests that wait for one of them', () => poolUse(dataSource).waiting);
    gauges(registry, 'warming_queue_jobs', 'Warming jobs of all nodes that have not ended', ['state'], () =>
      queue.call((bull) => bull.getJobCounts()).then(notEnded, nothingWhileUnavailable),
    );
  }
}

/** Those of a queue that was paused by hand wait, too. */
const notEnded = ({ waiting, paused, active, delayed }: JobCounts & { readonly paused?: number }) =>
  Object.entries({ waiting: waiting + (paused ?? 0), active, delayed }).map(
    ([state, jobs]) => [{ state }, jobs] as const,
  );

function nothingWhileUnavailable(error: unknown): [] {
  if (error instanceof WarmingUnavailableError) return [];
  throw error;
}
