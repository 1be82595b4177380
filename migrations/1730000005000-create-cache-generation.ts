import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * The cache generation in force, the Redis server that holds it, and when a node last confirmed that it uses it. The
 * sequence counts generations: unlike a row, its value is read as it is now, whatever snapshot a transaction has.
 */
export class CreateCacheGeneration1730000005000 implements MigrationInterface {
  readonly name = 'CreateCacheGeneration1730000005000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE cache_generation (
        the_only_row boolean PRIMARY KEY DEFAULT true CHECK (the_only_row),
        name text NOT NULL DEFAULT '',
        server text NOT NULL DEFAULT '',
        used_at timestamptz NOT NULL DEFAULT '-infinity'
      )`);
    await queryRunner.query('INSERT INTO cache_generation DEFAULT VALUES');
    await queryRunner.query('CREATE SEQUENCE cache_generation_number');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP SEQUENCE cache_generation_number');
    await queryRunner.query('DROP TABLE cache_generation');
  }
}
