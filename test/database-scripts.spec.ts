import { spawn } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { migrationName } from '../scripts/database/new-migration.mjs';
import { ROOT } from '../scripts/services/folders.mjs';
import { recordsIn, stopLeftovers } from '../scripts/services/records.mjs';
import { migrations } from '../migrations/index.js';
import { ServiceProcess } from './support/service-process.js';
import { createDatabase } from './support/services.js';
import { starterIn } from './support/services/starter.js';

const { folder, start, left, stopAll } = starterIn();
const project = join(folder, 'project');
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

/** A built copy of this project. */
beforeAll(async () => {
  await ServiceProcess.build();
  mkdirSync(project);
  symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
  for (const name of ['package.json', '.prettierrc.json', 'migrations', 'dist']) {
    cpSync(join(ROOT, name), join(project, name), { recursive: true });
  }
  // Newer than all sources, and stays so: nothing is built here.
  const tomorrow = Date.now() / 1000 + 86_400;
  utimesSync(join(project, 'dist', '.tsbuildinfo'), tomorrow, tomorrow);
}, 200_000);
afterEach(stopAll);
afterAll(() => stopLeftovers(recordsIn(folder)));

/** Runs a script of package.json in the copy. */
function run(script: string, args: string[] = [], databaseUrl = ''): Promise<{ code: number | null; output: string }> {
  const words = scripts[script]!.split(' ').slice(1);
  const child = spawn(process.execPath, [...words, ...args, '--project', project, '--data', folder], {
    env: { ...process.env, NODE_ENV: '', DATABASE_URL: databaseUrl, npm_lifecycle_event: '' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

async function count(url: string, from: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${from}`);
  await client.end();
  return rows[0]!.n;
}

const drafts = (): string[] => readdirSync(join(project, 'migrations')).filter((name) => name.includes('colour'));

test('with DATABASE_URL: seed fills it, migration:generate drafts the difference, migration:revert undoes one', async () => {
  const { url, drop } = await createDatabase();
  const early = await run('migration:generate', ['AddColour'], url);
  expect(early).toMatchObject({ code: 1, output: expect.stringContaining('run what is pending first') });

  expect(await run('seed', [], url)).toMatchObject({ code: 0, output: expect.stringContaining('demo items: 1000') });
  expect(await count(url, 'items')).toBe(1_000);

  expect(await run('migration:generate', ['AddColour'], url)).toMatchObject({
    code: 1,
    output: expect.stringContaining('nothing to generate'),
  });
  const entity = join(project, 'dist', 'src', 'items', 'item.entity.js');
  appendFileSync(entity, `\nColumn({ type: 'text', nullable: true })(Item.prototype, 'colour');\n`);
  expect(await run('migration:generate', ['AddColour'], url)).toMatchObject({ code: 0 });
  cpSync(join(ROOT, 'dist', 'src', 'items', 'item.entity.js'), entity);
  const [file = ''] = drafts();
  const [, timestamp] = /^(\d+)-add-colour\.ts$/.exec(file)!;
  const className = `AddColour${timestamp}`;
  // Columns, and no index or check, though no entity declares one.
  expect(readFileSync(join(project, 'migrations', file), 'utf8')).toBe(
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
  expect(readFileSync(join(project, 'migrations', 'index.ts'), 'utf8')).toBe(
    index
      .replace('\n\n/**', `\nimport { ${className} } from './${timestamp}-add-colour.js';\n\n/**`)
      .replace('\n];', `\n  ${className},\n];`),
  );

  expect(await run('migration:revert', [], url)).toMatchObject({ code: 0 });
  expect(await count(url, 'migrations')).toBe(migrations.length - 1);
  await drop();
}, 300_000);

test('without it: the database of a running start is used; where none runs, it is started for the command', async () => {
  const started = start();
  await started.ready;
  const { DATABASE_URL: url = '' } = started.given();
  const running = left();
  expect(await run('seed')).toMatchObject({ code: 0, output: expect.stringContaining('demo items: 1000') });
  expect(await count(url, 'items')).toBe(1_000);
  expect(left()).toEqual(running);
  await stopAll();

  const reverted = await run('migration:revert');
  expect(reverted).toMatchObject({ code: 0, output: expect.stringContaining('reverted successfully') });
  expect(left()).toEqual([]);
  expect(readdirSync(folder)).not.toContain('lock');
}, 300_000);

test('migrations are named as their files are', () => {
  const names = ['AddStock', 'addStock', 'add-stock', 'add_stock', 'migrations/add-stock', 'add stock'];
  expect(new Set(names.map((name) => migrationName(name)))).toEqual(new Set(['add-stock']));
  for (const none of ['', '1st', 'a;b', '../']) expect(() => migrationName(none)).toThrow('is no name for a migration');
});
