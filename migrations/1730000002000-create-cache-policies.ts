import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * The policy of each entity: what its writers do, what is promised to its readers, and where a switch is going. They
 * differ only while a switch is under way. `configured` is what the environment said last: a change of it is a switch.
 */
export class CreateCachePolicies1730000002000 implements MigrationInterface {
  readonly name = 'CreateCachePolicies1730000002000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE cache_policies (
        entity text PRIMARY KEY,
        policy text NOT NULL,
        promised text NOT NULL,
        target text NOT NULL,
        configured text NOT NULL,
        revision bigint NOT NULL DEFAULT 1,
        updated_at timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE cache_policies');
  }
}
