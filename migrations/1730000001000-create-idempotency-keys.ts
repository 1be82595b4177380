import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Answers to `POST` requests with an `Idempotency-Key`. `answer` is the exact JSON; null only inside a transaction. */
export class CreateIdempotencyKeys1730000001000 implements MigrationInterface {
  readonly name = 'CreateIdempotencyKeys1730000001000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE idempotency_keys (
        key text COLLATE "C" PRIMARY KEY,
        request_hash text NOT NULL,
        answer text,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await queryRunner.query('CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE idempotency_keys');
  }
}
