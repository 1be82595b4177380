// @ts-check
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { MigrationExecutor } from 'typeorm';
import { adoptMigration, migrationName } from './database/new-migration.mjs';
import { openDatabase } from './database/open.mjs';
import { DATA, ROOT } from './services/folders.mjs';
import { run } from './services/run.mjs';
import { buildIfNeeded } from './start/build.mjs';
import { runCommand } from './start/command.mjs';

/**
 * `npm run migration:generate -- NAME`, `npm run migration:revert`, `npm run seed`: work on the database that
 * `DATABASE_URL` names (`DATABASE_DIRECT_URL` where that is a pooler), else on that of this clone. All of them build first, where a source has changed.
 */

const {
  values: options,
  positionals: [action, ...names],
} = parseArgs({
  allowPositionals: true,
  // For tests: another project, and another folder for the data of PostgreSQL.
  options: { project: { type: 'string', default: ROOT }, data: { type: 'string', default: DATA } },
});
const project = resolve(options.project);
const dist = join(project, 'dist');
const TYPEORM = fileURLToPath(import.meta.resolve('typeorm/cli.js'));

const say = (/** @type {string} */ line) => console.log(line);

/** @typedef {import('./start/command.mjs').Command} Command */

/**
 * @param {Command} command
 * @returns {Promise<Work>}
 */
async function prepare({ signal, atEnd }) {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, NODE_ENV: process.env['NODE_ENV'] || 'development' };
  // The schema is worked on past a pooler.
  const given = env['DATABASE_DIRECT_URL'] || env['DATABASE_URL'];
  const own = !given;
  if (own && env['NODE_ENV'] === 'production') throw new Error('NODE_ENV=production: set DATABASE_URL');
  await buildIfNeeded(project, { say, signal });
  const url = given || (await openDatabase(resolve(options.data), { say, signal, atEnd }));
  const node = (/** @type {string[]} */ ...args) =>
    run(process.execPath, args, { env: { ...env, DATABASE_URL: url }, cwd: project, signal, show: true });
  return { url, own, node };
}

/**
 * @typedef {object} Work
 * @property {string} url of the database
 * @property {boolean} own whether it is the one of this clone
 * @property {(...args: string[]) => Promise<void>} node runs a program with `DATABASE_URL` set to it
 */

/**
 * Drafts the migration that makes the tables what the entities say. The draft compares columns only: see
 * `src/database/column-schema-builder.ts`.
 * @param {Command} command
 * @param {string[]} names
 * @returns {Promise<number>}
 */
async function generate(command, names) {
  const name = migrationName(names[0] ?? '');
  const { url, own, node } = await prepare(command);
  const [ran, pending] = await connected(url, async (dataSource) => {
    const executor = new MigrationExecutor(dataSource);
    return [await executor.getExecutedMigrations(), await executor.getPendingMigrations()];
  });
  if (own && ran.length === 0) await node(join(dist, 'src', 'migrate.js'));
  else if (pending.length > 0) {
    const missing = pending.map((migration) => migration.name).join(', ');
    const how = own ? 'npm start' : 'npm run migration:run';
    throw new Error(`the database lacks ${missing}: run what is pending first (\`${how}\`), or delete it`);
  }
  const { upQueries } = await connected(url, ({ driver }) => driver.createSchemaBuilder().log());
  if (upQueries.length === 0) {
    say('The tables are what the entities say: there is nothing to generate.');
    return 1;
  }
  const timestamp = String(Date.now());
  await node(TYPEORM, 'migration:generate', `migrations/${name}`, '-d', join(dist, 'ormconfig.js'), '-t', timestamp);
  const file = `${timestamp}-${name}.ts`;
  await adoptMigration(project, file);
  say(`migrations/${file} is a draft. Read it, and add what no entity says: indexes, checks, data.`);
  return 0;
}

/**
 * @template T
 * @param {string} url
 * @param {(dataSource: import('typeorm').DataSource) => Promise<T>} work
 * @returns {Promise<T>}
 */
async function connected(url, work) {
  const { createMigrationDataSource } = await import(pathToFileURL(join(dist, 'src', 'data-source.js')).href);
  const dataSource = await createMigrationDataSource(url).initialize();
  return work(dataSource).finally(() => dataSource.destroy());
}

/**
 * @param {Command} command
 * @returns {Promise<number>}
 */
async function revert(command) {
  const { node } = await prepare(command);
  await node(TYPEORM, 'migration:revert', '-d', join(dist, 'ormconfig.js'));
  return 0;
}

/**
 * Brings the schema up to date and puts the demo catalogue in, once per database.
 * @param {Command} command
 * @returns {Promise<number>}
 */
async function seed(command) {
  const { node } = await prepare(command);
  await node(join(dist, 'src', 'migrate.js'), '--seed');
  return 0;
}

const actions = new Map([
  ['generate', { title: 'npm run migration:generate', work: generate }],
  ['revert', { title: 'npm run migration:revert', work: revert }],
  ['seed', { title: 'npm run seed', work: seed }],
]);
const chosen = actions.get(action ?? '');
if (!chosen) throw new Error(`unknown action: one of ${[...actions.keys()].join(', ')}`);
await runCommand(chosen.title, (command) => chosen.work(command, names));
