import { appendFileSync, cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrationName } from '../../scripts/database/new-migration.mjs';
import { ROOT } from '../../scripts/services/folders.mjs';
import { BuiltCopy } from '../support/built-copy.js';
import { buildLimitMs } from '../support/service-process.js';
import { createDatabase } from '../support/services.js';
import { testEnvironment, uniqueName } from '../support/services/environment.mjs';
import { createMigratedDatabase } from '../support/start-app.js';

const copy = new BuiltCopy(join(testEnvironment().folder, uniqueName('scripts')));
beforeAll(() => copy.make(), buildLimitMs);

const drafts = (): string[] => readdirSync(join(copy.path, 'migrations')).filter((name) => name.includes('colour'));

test('with DATABASE_URL: migration:generate drafts the difference', async () => {
  const [empty, migrated] = await Promise.all([createDatabase(), createMigratedDatabase()]);
  const generate = (url: string) => copy.run('migration:generate', ['AddColour'], url);
  // At the same time: each takes a second or two.
  const [early, none] = await Promise.all([generate(empty.url), generate(migrated.url)]);
  expect(early).toMatchObject({ code: 1, output: expect.stringContaining('run what is pending first') });
  expect(none).toMatchObject({ code: 1, output: expect.stringContaining('nothing to generate') });

  const entity = join(copy.path, 'dist', 'src', 'items', 'item.entity.js');
  appendFileSync(entity, `\nColumn({ type: 'text', nullable: true })(Item.prototype, 'colour');\n`);
  expect(await generate(migrated.url)).toMatchObject({ code: 0 });
  cpSync(join(ROOT, 'dist', 'src', 'items', 'item.entity.js'), entity);
  const [file = ''] = drafts();
  const [, timestamp] = /^(\d+)-add-colour\.ts$/.exec(file)!;
  const className = `AddColour${timestamp}`;
  // Columns, and no index or check, though no entity declares one.
  expect(readFileSync(join(copy.path, 'migrations', file), 'utf8')).toBe(
    `import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class ${className} implements MigrationInterface {
  readonly name = '${className}';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(\`ALTER TABLE "items" ADD "colour" text\`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(\`ALTER TABLE "items" DROP COLUMN "colour"\`);
  }
}
`,
  );
  const index = readFileSync('migrations/index.ts', 'utf8');
  expect(readFileSync(join(copy.path, 'migrations', 'index.ts'), 'utf8')).toBe(
    index
      .replace('\n\n/**', `\nimport { ${className} } from './${timestamp}-add-colour.js';\n\n/**`)
      .replace('\n];', `\n  ${className},\n];`),
  );

  await Promise.all([empty.drop(), migrated.drop()]);
}, 300_000);

test('migrations are named as their files are', () => {
  const names = ['AddStock', 'addStock', 'add-stock', 'add_stock', 'migrations/add-stock', 'add stock'];
  expect(new Set(names.map((name) => migrationName(name)))).toEqual(new Set(['add-stock']));
  for (const none of ['', '1st', 'a;b', '../']) expect(() => migrationName(none)).toThrow('is no name for a migration');
});
