// @ts-check
import { transformFileSync } from '@swc/core';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../scripts/services/folders.mjs';

/** @type {import('@swc/core').Options} */
const options = {
  swcrc: false,
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'es6' },
};

/**
 * Compiles `verify/service` next to a copy of the built service, which knows nothing of it.
 * @param {string} dist that copy
 * @returns {string} what `node --import` wants
 */
export function compileServiceFiles(dist) {
  const from = join(ROOT, 'verify', 'service');
  const to = join(dist, 'verify', 'service');
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from))
    writeFileSync(join(to, name.replace(/\.ts$/, '.js')), transformFileSync(join(from, name), options).code);
  return pathToFileURL(join(to, 'preload.js')).href;
}
