// @ts-check
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { guaranteeTable, modelParts, readResults } from '../model/table.mjs';
import { mutationParts, readHunted } from '../test/mutation/report.mjs';
import { documentParts, withParts } from './docs/parts.mjs';
import { ROOT } from './services/folders.mjs';
import { buildIfNeeded } from './start/build.mjs';

/** `npm run docs:generate`: rewrites the parts of the documents that are made from the code, and from what it has measured. */

const path = (/** @type {string[]} */ ...names) => join(ROOT, ...names);
/** @param {string} scenario @returns {import('./docs/parts.mjs').BenchResult} */
const resultOf = (scenario) => JSON.parse(readFileSync(path('bench', 'results', `${scenario}.json`), 'utf8'));

await buildIfNeeded(ROOT, { say: (line) => console.log(line), signal: new globalThis.AbortController().signal });
const imported = (/** @type {string[]} */ ...names) => import(pathToFileURL(path('dist', 'src', ...names)).href);
/** @type {{ settingDefinitions: () => import('./docs/parts.mjs').Setting[] }} */
const { settingDefinitions } = await imported('config', 'index.js');

const documents = documentParts({
  settings: settingDefinitions(),
  example: readFileSync(path('test', 'support', 'gadgets.ts'), 'utf8'),
  model: guaranteeTable(readResults()),
  bench: { cost: resultOf('cost'), http: resultOf('http') },
  clients: {
    sh: readFileSync(path('docs', 'examples', 'items.sh'), 'utf8'),
    js: readFileSync(path('docs', 'examples', 'items.mjs'), 'utf8'),
  },
});
for (const [name, parts] of Object.entries(documents)) rewrite(name, parts);
rewrite('model/README.md', modelParts(readResults()));
rewrite('test/mutation/README.md', mutationParts(readHunted()));
writeOpenApi(await readOpenApi());

/** Of the application itself, which is put together for it, but connects to nothing. */
async function readOpenApi() {
  const { loadSettings } = await imported('config', 'index.js');
  const { AppModule } = await imported('app.module.js');
  const { openApiDocument } = await imported('swagger.js');
  const settings = loadSettings({ DATABASE_URL: 'postgres://nowhere/none', ADMIN_TOKEN: 'for the routes to be there' });
  const app = await NestFactory.create(AppModule.forRoot(settings), { preview: true, logger: false });
  return openApiDocument(app);
}

/** @param {object} document */
function writeOpenApi(document) {
  const file = path('docs', 'openapi.json');
  writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
  console.log('docs/openapi.json: written');
}

/** @param {string} name @param {Readonly<Record<string, string>>} parts */
function rewrite(name, parts) {
  const before = readFileSync(path(name), 'utf8');
  const after = withParts(before, parts);
  if (after !== before) writeFileSync(path(name), after);
  console.log(`${name}: ${after === before ? 'up to date' : 'rewritten'}`);
}
