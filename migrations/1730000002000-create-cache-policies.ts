import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Which policy the writers of an entity follow; an entity without a row has the configured one. */
export class CreateCachePolicies1730000002000 implements MigrationInterface {
  readonly name = 'CreateCachePolicies1730000002000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE cache_policies (
        entity text PRIMARY KEY,
        policy text NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE cache_policies');
  }
}
