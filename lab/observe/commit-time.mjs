// @ts-check
import pg from 'pg';

/**
 * When the present version of a row was committed, on our monotonic clock; undefined where the server does not note it.
 * @param {string} databaseUrl
 * @param {number} key
 * @returns {Promise<number | undefined>}
 */
export async function committedAtMs(databaseUrl, key) {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    const { rows: settings } = await client.query('SHOW track_commit_timestamp');
    if (settings[0].track_commit_timestamp !== 'on') return undefined;
    const ago = `SELECT extract(epoch FROM clock_timestamp() - pg_xact_commit_timestamp(xmin)) * 1000 AS ago_ms
                 FROM items WHERE id = $1`;
    const askedMs = performance.now();
    const { rows } = await client.query(ago, [key]);
    const agoMs = rows[0]?.ago_ms;
    return agoMs == null ? undefined : (askedMs + performance.now()) / 2 - Number(agoMs);
  } finally {
    await client.end();
  }
}
