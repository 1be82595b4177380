// @ts-check
import pg from 'pg';

/**
 * Runs work on one connection.
 * @template T
 * @param {string} url
 * @param {(client: pg.Client) => Promise<T>} work
 * @returns {Promise<T>}
 */
async function withClient(url, work) {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * @param {string} adminUrl
 * @param {string} name
 * @param {string} [template] a database that nobody is connected to; the new one is a copy of it
 * @returns {Promise<void>}
 */
export const createDatabase = (adminUrl, name, template = 'template1') =>
  withClient(adminUrl, async (client) => {
    const [database, source] = [name, template].map((identifier) => client.escapeIdentifier(identifier));
    await client.query(`CREATE DATABASE ${database} TEMPLATE ${source}`);
  });

/**
 * @param {string} adminUrl
 * @param {string} name
 * @returns {Promise<boolean>}
 */
export const hasDatabase = (adminUrl, name) =>
  withClient(adminUrl, async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    return rowCount === 1;
  });

/**
 * @param {string} adminUrl
 * @param {string} name
 * @returns {Promise<void>}
 */
export async function ensureDatabase(adminUrl, name) {
  if (await hasDatabase(adminUrl, name)) return;
  await createDatabase(adminUrl, name).catch(async (error) => {
    // Another process was faster.
    if (!(await hasDatabase(adminUrl, name))) throw error;
  });
}

/**
 * @param {string} adminUrl
 * @param {string} from a database that nobody is connected to
 * @param {string} to
 * @returns {Promise<void>}
 */
export const renameDatabase = (adminUrl, from, to) =>
  withClient(adminUrl, async (client) => {
    const [old, name] = [from, to].map((identifier) => client.escapeIdentifier(identifier));
    await client.query(`ALTER DATABASE ${old} RENAME TO ${name}`);
  });

/**
 * Drops a database whoever still uses it. WITH (FORCE) ends sessions but not readers of a replication slot: those first.
 * @param {string} adminUrl
 * @param {string} name
 * @returns {Promise<void>}
 */
export const dropDatabase = (adminUrl, name) =>
  withClient(adminUrl, async (client) => {
    const endReaders =
      'SELECT pg_terminate_backend(active_pid, 1000) FROM pg_replication_slots WHERE database = $1 AND active';
    for (let attempt = 1; ; attempt++) {
      try {
        await client.query(endReaders, [name]);
        return void (await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)} WITH (FORCE)`));
      } catch (error) {
        if (attempt === 20) throw error;
      }
    }
  });
