/**
 * Which table a statement may replace rows of without anybody having looked at them, as TypeORM names it in
 * `metadata.tablePath`: `INSERT … ON CONFLICT` may, a plain INSERT cannot. The rows themselves do not tell: a foreign key that
 * refers to a new row locks it, which sets `xmax` as a replacement does.
 */
export function upsertedTable(statement: string): string | undefined {
  if (!statement.includes('ON CONFLICT')) return undefined;
  return /INSERT INTO ((?:"[^"]+"\.?)+)/.exec(statement)?.[1]?.replaceAll('"', '');
}
