import type pg from 'pg';
import { type DataSource } from 'typeorm';
import { poolOf } from './bounded-pool.js';
import { isDatabaseUnavailable } from './unavailable.js';

/** A connection outside of the pool, with the pool's settings: its statements wait for nobody's. Opened when it is needed. */
export class OwnConnection {
  #client: Promise<pg.Client> | undefined;

  /** @param onLost called when the connection ends, for whatever reason */
  constructor(
    private readonly dataSource: DataSource,
    private readonly onLost: () => void,
  ) {}

  async query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const opened = (this.#client ??= this.#open());
    try {
      return (await (await opened).query(sql, [...parameters])).rows as Row[];
    } catch (error) {
      if (isDatabaseUnavailable(error)) this.#end(opened);
      throw error;
    }
  }

  close(): void {
    if (this.#client) this.#end(this.#client);
  }

  #open(): Promise<pg.Client> {
    const pool = poolOf(this.dataSource) as (pg.Pool & { readonly Client: typeof pg.Client }) | undefined;
    if (!pool) return Promise.reject(new Error('the data source has no pool'));
    const client = new pool.Client(pool.options);
    const opened = client
      .connect()
      .then(() => pool.options.onConnect?.(client))
      .then(() => client);
    const ended = (): void => this.#end(opened);
    client.on('error', ended).on('end', ended);
    opened.catch(ended);
    return opened;
  }

  #end(opened: Promise<pg.Client>): void {
    if (this.#client !== opened) return;
    this.#client = undefined;
    opened.then((client) => client.end()).catch(() => undefined);
    this.onLost();
  }
}
