// @ts-check
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readmeParts, withParts } from './docs/parts.mjs';
import { ROOT } from './services/folders.mjs';
import { buildIfNeeded } from './start/build.mjs';

/** `npm run docs:generate`: rewrites the parts of README.md that are made from the code. */

const path = (/** @type {string[]} */ ...names) => join(ROOT, ...names);

await buildIfNeeded(ROOT, { say: (line) => console.log(line), signal: new globalThis.AbortController().signal });
/** @type {{ settingDefinitions: () => import('./docs/parts.mjs').Setting[] }} */
const { settingDefinitions } = await import(pathToFileURL(path('dist', 'src', 'config', 'index.js')).href);

const before = readFileSync(path('README.md'), 'utf8');
const after = withParts(
  before,
  readmeParts({
    settings: settingDefinitions(),
    example: readFileSync(path('test', 'support', 'gadgets.ts'), 'utf8'),
  }),
);
if (after !== before) writeFileSync(path('README.md'), after);
console.log(`README.md: ${after === before ? 'up to date' : 'rewritten'}`);
