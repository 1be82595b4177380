import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * What the change feed reads: a publication of the cached tables, whose old rows come whole (the lists that a row was in
 * are known from it), and a note of the slots that everything cached is newer than. Both work whatever `wal_level` is.
 */
export class CreateChangeFeed1730000004000 implements MigrationInterface {
  readonly name = 'CreateChangeFeed1730000004000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE items REPLICA IDENTITY FULL');
    await queryRunner.query('CREATE PUBLICATION strata_feed FOR TABLE items');
    await queryRunner.query(`
      CREATE TABLE cache_feed (
        slot text PRIMARY KEY,
        since timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE cache_feed');
    await queryRunner.query('DROP PUBLICATION strata_feed');
    await queryRunner.query('ALTER TABLE items REPLICA IDENTITY DEFAULT');
  }
}
