import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Remembers which demo data was put in, so that it is put in once, even if all of it is deleted. */
export class CreateSeeds1730000003000 implements MigrationInterface {
  readonly name = 'CreateSeeds1730000003000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE seeds (
        name text PRIMARY KEY,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE seeds');
  }
}
