import { Logger } from '@nestjs/common';
import pg from 'pg';
import { type DataSourceOptions } from 'typeorm';
import { boundedPool } from './bounded-pool.js';

export interface DatabaseSettings {
  readonly databaseUrl: string;
  /** Deadline of one statement; 0: none. */
  readonly databaseTimeoutMs: number;
  readonly databasePoolSize: number;
  /** How many may wait for a connection. */
  readonly databaseQueueSize: number;
}

/** How long a client waits beyond PostgreSQL's own statement timeout before it takes the server for dead. */
const silenceMarginMs = 1_000;
const connectTimeoutMs = 5_000;

/** The one place that says how this service talks to PostgreSQL. Entities and migrations are the caller's. */
export function dataSourceOptions({
  databaseUrl,
  databaseTimeoutMs,
  databasePoolSize,
  databaseQueueSize,
}: DatabaseSettings) {
  const logger = new Logger('Database');
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
      Client: PatientClient,
      ...(databaseTimeoutMs > 0 && statementDeadlines(databaseTimeoutMs)),
    },
  } satisfies DataSourceOptions;
}

/**
 * A client that survives the end of its own connection. The pool takes its error listener off a client that has just
 * connected before TypeORM puts its own on; an administrator's `pg_terminate_backend` in that moment would end the
 * process. The failed query, or the next one, reports the loss all the same.
 */
class PatientClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}

/** PostgreSQL ends a late statement itself; the client gives up where the server says nothing at all. */
function statementDeadlines(timeoutMs: number) {
  return {
    statement_timeout: timeoutMs,
    query_timeout: timeoutMs + silenceMarginMs,
    idle_in_transaction_session_timeout: 10 * timeoutMs,
  };
}
