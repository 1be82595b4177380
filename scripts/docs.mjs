// @ts-check
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { guaranteeTable, modelParts, readResults } from '../model/table.mjs';
import { mutationParts, readHunted } from '../test/mutation/report.mjs';
import { readmeParts, withParts } from './docs/parts.mjs';
import { ROOT } from './services/folders.mjs';
import { buildIfNeeded } from './start/build.mjs';

/** `npm run docs:generate`: rewrites the parts of the documents that are made from the code, and from what it has measured. */

const path = (/** @type {string[]} */ ...names) => join(ROOT, ...names);

await buildIfNeeded(ROOT, { say: (line) => console.log(line), signal: new globalThis.AbortController().signal });
/** @type {{ settingDefinitions: () => import('./docs/parts.mjs').Setting[] }} */
const { settingDefinitions } = await import(pathToFileURL(path('dist', 'src', 'config', 'index.js')).href);

rewrite(
  'README.md',
  readmeParts({
    settings: settingDefinitions(),
    example: readFileSync(path('test', 'support', 'gadgets.ts'), 'utf8'),
    model: guaranteeTable(readResults()),
    cost: JSON.parse(readFileSync(path('bench', 'results', 'cost.json'), 'utf8')),
  }),
);
rewrite('model/README.md', modelParts(readResults()));
rewrite('test/mutation/README.md', mutationParts(readHunted()));

/** @param {string} name @param {Readonly<Record<string, string>>} parts */
function rewrite(name, parts) {
  const before = readFileSync(path(name), 'utf8');
  const after = withParts(before, parts);
  if (after !== before) writeFileSync(path(name), after);
  console.log(`${name}: ${after === before ? 'up to date' : 'rewritten'}`);
}
