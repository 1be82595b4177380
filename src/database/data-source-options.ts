import { Logger } from '@nestjs/common';
import pg from 'pg';
import { type DataSourceOptions } from 'typeorm';
import { boundedPool } from './bounded-pool.js';
import { DatabaseClient } from './client.js';

export interface DatabaseSettings {
  readonly databaseUrl: string;
  /** Deadline of one statement; 0: none. */
  readonly databaseTimeoutMs: number;
  readonly databasePoolSize: number;
  /** How many may wait for a connection. */
  readonly databaseQueueSize: number;
}

const connectTimeoutMs = 5_000;

/** The one place that says how this service talks to PostgreSQL. Entities and migrations are the caller's. */
export function dataSourceOptions({
  databaseUrl,
  databaseTimeoutMs,
  databasePoolSize,
  databaseQueueSize,
}: DatabaseSettings) {
  const logger = new Logger('Database');
  let isTold = false;
  /** How long a transaction may be idle can behind a pooler only be the role's own setting. */
  const tellOfPooler = async (client: pg.Client): Promise<void> => {
    if (isTold) return;
    isTold = true;
    const sql = `SELECT current_user AS role, current_setting('idle_in_transaction_session_timeout') AS setting`;
    const [found] = (await client.query<{ role: string; setting: string }>(sql)).rows;
    if (found?.setting === '0')
      logger.warn(
        'DATABASE_URL leads to a pooler, and nothing ends a transaction whose node has stopped: ' +
          `ALTER ROLE ${pg.escapeIdentifier(found.role)} SET idle_in_transaction_session_timeout = '${10 * databaseTimeoutMs}ms'`,
      );
  };
  return {
    type: 'postgres',
    url: databaseUrl,
    driver: { ...pg, Pool: boundedPool(databaseQueueSize) },
    applicationName: 'strata',
    poolSize: databasePoolSize,
    connectTimeoutMS: databaseTimeoutMs || connectTimeoutMs,
    installExtensions: false,
    migrationsTableName: 'migrations',
    poolErrorHandler: (error: Error) => logger.warn(`an idle connection broke: ${error.message}`),
    extra: {
      keepAlive: true,
      deadlineMs: databaseTimeoutMs,
      Client: DatabaseClient,
      onConnect: async (client: DatabaseClient) => {
        if (!(await client.setDeadlines()) && databaseTimeoutMs > 0) await tellOfPooler(client);
      },
    },
  } satisfies DataSourceOptions;
}
