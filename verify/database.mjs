// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** @typedef {import('./checker/history.mjs').Committed} Committed */

/** A name that begins with it is refused at COMMIT. */
export const doomedPrefix = 'doomed ';
/** A name that begins with it takes its time to commit. */
export const slowPrefix = 'slow ';

/**
 * Every version that is committed is noted in the same transaction; some writes fail at the last moment; some commits take
 * long enough to be hit.
 */
const instruments = `
CREATE TABLE verify_committed (key int, version int, name text, category text);
CREATE FUNCTION verify_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO verify_committed VALUES (NEW.id, NEW.version, NEW.name, NEW.category);
  RETURN NULL;
END $$;
CREATE TRIGGER verify_note AFTER INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION verify_note();
CREATE FUNCTION verify_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF starts_with(NEW.name, '${slowPrefix}') THEN PERFORM pg_sleep(0.02); END IF;
  IF starts_with(NEW.name, '${doomedPrefix}') THEN RAISE EXCEPTION 'refused at COMMIT'; END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER verify_commit AFTER INSERT OR UPDATE ON items
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION verify_commit();`;

const backends = `FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'strata'`;

/** The database of a run, past the service. */
export class RunDatabase {
  #pool;

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

  /** @returns {Promise<Committed[]>} */
  async committed() {
    const { rows } = await this.#pool.query('SELECT * FROM verify_committed');
    return rows;
  }

  /** @returns {Promise<Committed[]>} */
  async current() {
    const { rows } = await this.#pool.query('SELECT id AS key, version, name, category FROM items ORDER BY id');
    return rows;
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
