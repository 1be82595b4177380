// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { furtherTables, instruments } from './schema.mjs';
import { furtherSeeds } from './workload/rows.mjs';

/** @typedef {import('./checker/history.mjs').Committed} Committed */

/** Of each transaction the last version of a row: nothing before it was ever visible. */
const committed = `
SELECT DISTINCT ON (entity, id, era, tx) CASE entity WHEN 'items' THEN id ELSE entity || ':' || id END AS key,
  entity, version, name, category, era, tx
FROM verify_committed ORDER BY entity, id, era, tx, version DESC`;

const backends = `FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'strata'`;

/** The database of a run, past the service. */
export class RunDatabase {
  #pool;
  /** @type {Committed[]} */
  #lost = [];

  /** @param {string} url */
  constructor(url) {
    this.url = url;
    this.#pool = new pg.Pool({ connectionString: url, max: 4, application_name: 'verify' });
    this.#pool.on('error', () => undefined);
  }

  /**
   * @param {number} rows
   * @param {readonly string[]} categories
   * @returns {Promise<Committed[]>} the rows as they are at the beginning
   */
  async prepare(rows, categories) {
    await this.#pool.query(instruments);
    await this.#pool.query(
      `INSERT INTO items (name, category, price, quantity)
       SELECT 'seed ' || n, ($2::text[])[1 + n % cardinality($2::text[])], 1, 1 FROM generate_series(1, $1) n`,
      [rows, categories],
    );
    return this.committed();
  }

  /** Rows that nobody writes, hence nothing notes: ids follow on those that there are. @param {number} count */
  async extend(count) {
    const client = await this.#pool.connect();
    try {
      // Without triggers.
      await client.query('BEGIN; SET LOCAL session_replication_role = replica');
      await client.query(
        `INSERT INTO items (name, description, category, price, quantity)
         SELECT 'more ' || n, repeat('text ', 40), 'more-' || n % 1000, 1, 1 FROM generate_series(1, $1::int) n`,
        [count],
      );
      await client.query('COMMIT');
    } finally {
      client.release();
    }
  }

  /** The entities besides items, with their rows. @returns {Promise<Committed[]>} */
  async prepareFurther() {
    await this.#pool.query(furtherTables);
    for (const { entity, id, name, category } of furtherSeeds()) {
      const column = entity === 'parts' ? 'box_id' : 'category';
      await this.#pool.query(`INSERT INTO ${entity} (id, name, ${column}) VALUES ($1, $2, $3)`, [id, name, category]);
    }
    return this.committed();
  }

  /** Everything that was ever committed, also what the database has lost since. @returns {Promise<Committed[]>} */
  async committed() {
    return [...this.#lost, ...(await committedIn(this.#pool))];
  }

  /** The items. @returns {Promise<Committed[]>} */
  async current() {
    const { rows } = await this.#pool.query('SELECT id AS key, version, name, category FROM items ORDER BY id');
    return rows;
  }

  /** The rows of the other entities; one that was removed has no category. @returns {Promise<Committed[]>} */
  async currentFurther() {
    /** @type {Map<import('./checker/history.mjs').Key, Committed>} */
    const newest = new Map();
    for (const note of await committedIn(this.#pool)) {
      const known = newest.get(note.key);
      if (typeof note.key === 'string' && (!known || isLater(note, known))) newest.set(note.key, note);
    }
    return [...newest.values()];
  }

  /** Notes of a history that has ended: the database went back. @param {readonly Committed[]} notes */
  lose(notes) {
    this.#lost.push(...notes);
  }

  /** Until the feed has read what is committed now, if it ever does. @param {number} longestMs */
  async feedCaughtUp(longestMs) {
    const { rows } = await this.#pool.query('SELECT pg_current_wal_lsn() AS lsn');
    const text = `SELECT 1 FROM pg_replication_slots
      WHERE database = current_database() AND active AND confirmed_flush_lsn >= $1`;
    const giveUpAtMs = performance.now() + longestMs;
    while (performance.now() < giveUpAtMs) {
      if ((await this.#pool.query(text, [rows[0].lsn])).rowCount) return;
      await sleep(50);
    }
  }

  /** Past the service. @param {number} key @param {string} name @param {string} category @returns {Promise<number>} */
  async update(key, name, category) {
    const text = 'UPDATE items SET name = $2, category = $3 WHERE id = $1 RETURNING version';
    const { rows } = await this.#pool.query(text, [key, name, category]);
    return rows[0].version;
  }

  /**
   * Ends one backend of the nodes: one that is committing if there is any, or one between its last write and COMMIT.
   * @param {'committing' | 'open' | 'any'} which
   * @returns {Promise<number>} how many it was
   */
  async terminate(which) {
    const condition = {
      committing: `state = 'active' AND query = 'COMMIT'`,
      open: `state = 'idle in transaction'`,
      any: 'true',
    };
    const text = `SELECT pg_terminate_backend(pid) ${backends} AND ${condition[which]} LIMIT 1`;
    return (await this.#pool.query(text)).rowCount ?? 0;
  }

  /** How many sessions of the nodes are at work. */
  async working() {
    const text = `SELECT ${backends} AND backend_type = 'client backend' AND state <> 'idle'`;
    return (await this.#pool.query(text)).rowCount ?? 0;
  }

  /** Resolves once no transaction of a node is open: what was sent before its writer died has happened, or never will. */
  async settled() {
    const text = `SELECT ${backends} AND backend_type = 'client backend' AND xact_start IS NOT NULL`;
    while ((await this.#pool.query(text)).rowCount) await sleep(2);
  }

  async close() {
    await this.#pool.end();
  }
}

/** @param {pg.Pool | pg.Client} connection @returns {Promise<Committed[]>} */
export async function committedIn(connection) {
  const { rows } = await connection.query(committed);
  return rows.map(({ entity, key, version, name, category, era, tx }) => ({
    key: entity === 'items' ? Number(key) : key,
    ...{ version, name, era, tx: `${era}/${tx}` },
    category: category === null || entity === 'items' ? category : `${entity}/${category}`,
  }));
}

/** @param {Committed} a @param {Committed} b */
const isLater = (a, b) => (a.era ?? 0) > (b.era ?? 0) || ((a.era ?? 0) === (b.era ?? 0) && a.version > b.version);
