import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * `cache_policy_lock` has no rows: writers lock it for their whole transaction, a policy switch waits for them. A lock on
 * a table, not an advisory one: LOCK TABLE takes no snapshot, so that what is read behind it is never older than the lock,
 * at any isolation level. `cache_nodes` says how long each running node may serve from its memory unheard.
 */
export class CreatePolicyLock1730000007000 implements MigrationInterface {
  readonly name = 'CreatePolicyLock1730000007000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('CREATE TABLE cache_policy_lock ()');
    await queryRunner.query(`
      CREATE TABLE cache_nodes (
        node uuid PRIMARY KEY,
        lease_ms integer NOT NULL,
        seen_at timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE cache_nodes');
    await queryRunner.query('DROP TABLE cache_policy_lock');
  }
}
