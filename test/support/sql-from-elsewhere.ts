import pg from 'pg';

/** A statement of another program's: on a connection that the service knows nothing of. */
export async function sqlFromElsewhere(
  databaseUrl: string,
  sql: string,
  parameters: unknown[] = [],
): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query(sql, parameters)).rows as unknown[];
  } finally {
    await client.end();
  }
}
