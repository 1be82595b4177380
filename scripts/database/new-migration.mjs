// @ts-check
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * The name of a migration as its file has it: `add-stock` for `AddStock`, `addStock` or `migrations/add-stock.ts`.
 * @param {string} given
 * @returns {string}
 * @throws when nothing else can be made of it
 */
export function migrationName(given) {
  const words = basename(given, '.ts').replace(/([a-z0-9])([A-Z])/g, '$1-$2');
  const name = words.replace(/[\s_]+/g, '-').toLowerCase();
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new Error(`"${given}" is no name for a migration: npm run migration:generate -- add-stock`);
  }
  return name;
}

/**
 * Makes what TypeORM generated look like the other migrations, and names it in `migrations/index.ts`.
 * @param {string} project
 * @param {string} file in `migrations/`
 */
export async function adoptMigration(project, file) {
  const path = join(project, 'migrations', file);
  const generated = readFileSync(path, 'utf8');
  const className = /^export class (\w+)/m.exec(generated)?.[1];
  if (!className) throw new Error(`${path} has no class`);
  const migration = generated
    .replace(/^import .*$/m, `import { type MigrationInterface, type QueryRunner } from 'typeorm';`)
    .replace(/^ *name = /m, 'readonly name = ')
    .replace(/^ *public async /gm, '\nasync ');
  await writeFormatted(path, migration);

  const index = join(project, 'migrations', 'index.ts');
  const lines = readFileSync(index, 'utf8').split('\n');
  const lastImport = lines.findLastIndex((line) => line.startsWith('import '));
  lines.splice(lastImport + 1, 0, `import { ${className} } from './${basename(file, '.ts')}.js';`);
  lines.splice(lines.lastIndexOf('];'), 0, `${className},`);
  await writeFormatted(index, lines.join('\n'));
}

/**
 * @param {string} path
 * @param {string} text
 */
async function writeFormatted(path, text) {
  const { format, resolveConfig } = await import('prettier');
  writeFileSync(path, await format(text, { ...(await resolveConfig(path)), filepath: path }));
}
