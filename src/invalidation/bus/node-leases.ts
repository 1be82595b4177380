import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { Clock, isWithin, Lease, type Moment } from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { behindWriters } from '../policies/policy-lock.js';

/** How often a node says that it still runs, in ms. */
const refreshMs = 60_000;
/** A node that could not say so for this long, in ms, serves nothing from its memory until it can. */
const validMs = 30 * 60_000;

/** What to wait for, in ms: nodes that were not seen for twice `validMs` serve nothing from their memory. */
export const longestLease = `SELECT max(lease_ms) FROM cache_nodes WHERE seen_at > now() - interval '1 hour'`;

/**
 * How long each running node may serve from its memory unheard (`CACHE_L1_LEASE_MS`), in PostgreSQL: the nodes may be
 * configured differently, and whoever waits for a silent one must wait for the longest lease. A row in PostgreSQL survives
 * what a node and Redis can lose, and a writer reads it in the statement that reads its policy.
 */
@Injectable()
export class NodeLeases implements BeforeApplicationShutdown {
  readonly #logger = new Logger('Invalidation');
  readonly #node = randomUUID();
  #registeredAt: Moment | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(
    private readonly settings: Settings,
    private readonly dataSource: DataSource,
    private readonly lease: Lease,
    private readonly clock: Clock,
  ) {}

  /** While the database can still be asked. What is served from now on does not come from L1. */
  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    this.#ended = true;
    this.#registeredAt = undefined;
    if (this.lease.term) this.lease.end(this.lease.term);
    await this.dataSource.query('DELETE FROM cache_nodes WHERE node = $1', [this.#node]).catch(() => undefined);
  }

  /** Whether everyone who has to wait for this node's lease knows how long it is. */
  get registered(): boolean {
    return this.#registeredAt !== undefined && isWithin(validMs, this.#registeredAt, this.clock.now());
  }

  /** @throws when the database cannot be asked */
  async register(): Promise<void> {
    if (this.#ended) return;
    const sentAt = this.clock.now();
    // Writers that are under way have read a shorter one.
    if (!this.registered && (await this.longestMs()) < this.settings.cacheL1LeaseMs)
      await behindWriters(this.dataSource, (runner) => runner.query(...this.#row()));
    else await this.dataSource.query(...this.#row());
    this.#registeredAt = sentAt;
    this.#timer ??= setInterval(() => {
      this.register().catch((error: Error) => this.#logger.debug(`the lease is not registered: ${error.message}`));
    }, refreshMs).unref();
  }

  /** The longest lease that any node may hold, in ms. */
  async longestMs(): Promise<number> {
    const [row] = await this.dataSource.query<[{ longest: number | null }]>(`SELECT (${longestLease}) AS longest`);
    return row.longest ?? 0;
  }

  #row(): [sql: string, parameters: unknown[]] {
    const sql = `
      INSERT INTO cache_nodes (node, lease_ms) VALUES ($1, $2) ON CONFLICT (node) DO UPDATE SET seen_at = now()`;
    return [sql, [this.#node, this.settings.cacheL1LeaseMs]];
  }
}
