import { type QueryRunner } from 'typeorm';
import { type Address, type Fill, type Filled, tagKey, type Ticket, type Writer } from '../../src/cache/testing.js';
import { type CacheNode, renewGeneration, startCacheNode } from './cache-node.js';
import { createDatabase, startRedis, type TestRedis } from './services.js';

export const row: Extract<Address, { kind: 'row' }> = {
  kind: 'row',
  key: 'row things:1',
  tag: 'things:1',
  coarse: 'things:*',
};
export const list: Address = { kind: 'query', key: 'query things ', tags: ['things', 'things:*'] };
export const life = { freshMs: 60_000, keepMs: 60_000 };

/** A transaction that has an id, hence can be fenced, until it is ended. */
export type OpenWriter = Writer & { commit(): Promise<void>; rollback(): Promise<void> };

/** One node before real servers, and the commands of the protocol one by one: a fresh generation for every test. */
export class ProtocolBench {
  node!: CacheNode;
  database!: Awaited<ReturnType<typeof createDatabase>>;
  redis!: TestRedis;
  #open: QueryRunner[] = [];

  /** Call it where the tests are declared. */
  constructor(env: Readonly<Record<string, string>> = {}) {
    beforeAll(async () => {
      [this.redis, this.database] = await Promise.all([startRedis(), createDatabase()]);
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

  readonly begin = async (): Promise<OpenWriter> => {
    const runner = this.node.dataSource.createQueryRunner();
    this.#open.push(runner);
    await runner.query('BEGIN');
    const [{ xid, xmin }] = (await runner.query(
      'SELECT pg_current_xact_id()::text AS xid, pg_snapshot_xmin(pg_current_snapshot())::text AS xmin',
    )) as [Writer];
    return { xid, xmin, commit: () => this.#end(runner, 'COMMIT'), rollback: () => this.#end(runner, 'ROLLBACK') };
  };

  async #end(runner: QueryRunner, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    this.#open = this.#open.filter((other) => other !== runner);
    await runner.query(how);
    await runner.release();
  }

  readonly snapshot = async (): Promise<string> => {
    const sql = 'SELECT pg_current_snapshot()::text AS text';
    const [answer] = await this.node.dataSource.query<[{ text: string }]>(sql);
    return answer.text;
  };

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
