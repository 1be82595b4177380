import { type EntityManager, type QueryRunner } from 'typeorm';
import {
  type Address,
  type Fill,
  type Filled,
  tagKey,
  type Ticket,
  withOwn,
  type Writer,
} from '../../src/cache/testing.js';
import { type CacheNode, renewGeneration, startCacheNode } from './cache-node.js';
import { startRedis, type TestRedis } from './services.js';
import { createMigratedDatabase } from './start-app.js';

export const row: Extract<Address, { kind: 'row' }> = {
  kind: 'row',
  key: 'row things:1',
  tag: 'things:1',
  coarse: 'things:*',
};
export const list: Address = { kind: 'query', key: 'query things ', tags: ['things', 'things:*'] };
export const life = { freshMs: 60_000, keepMs: 60_000 };

/** A transaction that has an id, hence can be fenced, until it is ended. */
export interface OpenWriter extends Writer {
  /** Of a statement of its own, as if it had committed before. */
  snapshot(): Promise<string>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** One node before real servers, and the commands of the protocol one by one: a fresh generation for every test. */
export class ProtocolBench {
  node!: CacheNode;
  database!: Awaited<ReturnType<typeof createMigratedDatabase>>;
  redis!: TestRedis;
  #open: QueryRunner[] = [];

  /** Call it where the tests are declared. */
  constructor(env: Readonly<Record<string, string>> = {}) {
    beforeAll(async () => {
      [this.redis, this.database] = await Promise.all([startRedis(), createMigratedDatabase()]);
      this.node = await startCacheNode(this.database.url, this.redis.url, env);
    });
    beforeEach(() => renewGeneration(this.node.connection));
    afterEach(async () => {
      for (const runner of this.#open) await this.#end(runner, 'ROLLBACK');
    });
    afterAll(async () => {
      await this.node.close();
      await this.database.drop();
      await this.redis.stop();
    });
  }

  /** @param locked whether it is a writer of the service: those hold the policy lock */
  readonly begin = async ({ locked = true } = {}): Promise<OpenWriter> => {
    const runner = this.node.dataSource.createQueryRunner();
    this.#open.push(runner);
    await runner.query('BEGIN');
    if (locked) await runner.query('LOCK TABLE cache_policy_lock IN ROW SHARE MODE');
    const [{ xid, xmin }] = (await runner.query(
      'SELECT pg_current_xact_id()::text AS xid, pg_snapshot_xmin(pg_current_snapshot())::text AS xmin',
    )) as [Writer];
    const snapshot = async () => withOwn(await this.#snapshotBy(runner.manager), Number(xid))!;
    return {
      xid,
      xmin,
      snapshot,
      commit: () => this.#end(runner, 'COMMIT'),
      rollback: () => this.#end(runner, 'ROLLBACK'),
    };
  };

  async #end(runner: QueryRunner, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    this.#open = this.#open.filter((other) => other !== runner);
    await runner.query(how);
    await runner.release();
  }

  readonly snapshot = (): Promise<string> => this.#snapshotBy(this.node.dataSource.manager);

  async #snapshotBy(by: Pick<EntityManager, 'query'>): Promise<string> {
    const [{ text }] = await by.query<[{ text: string }]>('SELECT pg_current_snapshot()::text AS text');
    return text;
  }

  readonly miss = async (address: Address = row): Promise<Ticket> => {
    const read = await this.node.l2.read(address);
    if (read.outcome !== 'miss') throw new Error(`expected a miss, found a ${read.outcome}`);
    return read.ticket;
  };

  readonly fill = async (ticket: Ticket, body: string, seenIn?: string): Promise<Filled> => {
    const loaded: Fill = { body, snapshot: seenIn ?? (await this.snapshot()), ...life };
    return this.node.l2.fill(ticket, loaded);
  };

  readonly bodyOf = async (address: Address = row): Promise<string | undefined> => {
    const read = await this.node.l2.read(address);
    return read.outcome === 'hit' ? read.entry.body : undefined;
  };

  /** A field of a tag's hash, as it is in Redis. */
  readonly field = (name: string, of = row.tag): Promise<string | undefined> =>
    this.node.connection.command(this.node.connection.gen, (client) =>
      client.hGet(tagKey(this.node.connection.gen, of), name),
    );
}
