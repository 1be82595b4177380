// @ts-check
import { transformSync } from '@swc/core';
import { readFileSync } from 'node:fs';

/** @typedef {{ readonly name: string, readonly file: string, readonly find: string, readonly replace: string }} Edit */

/**
 * @param {string} source
 * @param {Edit} edit
 * @throws {Error} where the guard is not what it was when the mutant was written
 */
export function mutate(source, { name, find, replace }) {
  const places = source.split(find).length - 1;
  if (places !== 1) throw new Error(`mutant ${name} is stale: what it replaces occurs ${places} times`);
  return source.replace(find, () => replace);
}

/** @param {Edit} edit the source of its file with the guard switched off @throws {Error} where it is stale */
export const mutated = (edit) => mutate(readFileSync(edit.file, 'utf8'), edit);

/** @param {Edit} edit throws where it is stale, or does not compile */
export function checkEdit(edit) {
  transformSync(mutated(edit), { jsc: { parser: { syntax: 'typescript', decorators: true } } });
}
