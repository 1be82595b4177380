import { Injectable, Logger } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { DataSource } from 'typeorm';
import { Settings } from '../../../config/index.js';

/** What tells one PostgreSQL database from another. */
export interface DatabaseIdentity {
  readonly system: string;
  /** The oid of the database. */
  readonly database: string;
}

const identitySql = `
  SELECT system_identifier::text AS system,
         (SELECT oid::text FROM pg_database WHERE datname = current_database()) AS database
    FROM pg_control_system()`;

/**
 * What the names in Redis of this service begin with, so that services which share a server do not meet: `CACHE_NAMESPACE`,
 * or a name derived from the identity of the database. A failover keeps that identity. A database that was dropped and
 * restored has another one, and every node must then move to the new name: it is derived again whenever the identity is
 * read. Physical copies of a database have the same identity: on one Redis server, name their namespaces.
 */
@Injectable()
export class Namespace {
  readonly #logger = new Logger('Cache');
  #name: string | undefined;
  readonly #listeners: (() => void)[] = [];

  constructor(
    private readonly settings: Settings,
    private readonly dataSource: DataSource,
  ) {
    this.#name = settings.cacheNamespace;
  }

  /** Undefined until PostgreSQL has answered. */
  get name(): string | undefined {
    return this.#name;
  }

  /** @throws when it is not known yet and PostgreSQL cannot be asked */
  async find(): Promise<string> {
    if (this.#name !== undefined) return this.#name;
    const [identity] = await this.dataSource.query<[DatabaseIdentity]>(identitySql);
    return this.follow(identity);
  }

  /** Called when everything is to be named anew. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** The identity has been read. @returns the name under it */
  follow({ system, database }: DatabaseIdentity): string {
    const before = this.#name;
    const name = this.settings.cacheNamespace ?? derived(system, database);
    this.#name = name;
    if (before !== undefined && before !== name) {
      this.#logger.warn(`this is another database: the namespace is ${name}, no longer ${before}`);
      for (const listener of this.#listeners) listener();
    }
    return name;
  }
}

const derived = (system: string, database: string): string =>
  createHash('sha256').update(`${system}/${database}`).digest('hex').slice(0, 12);
