// @ts-check
import { readFileSync } from 'node:fs';
import { table } from '../../scripts/docs/parts.mjs';

/** @typedef {import('./hunt.mjs').Hunted} Hunted */

/** @param {Hunted} hunted */
export function lineOf({ name, caughtBy, searched, depth, ms, ok }) {
  const fate = caughtBy ? `${depth && 'SAID TO SURVIVE, '}${caughtBy}` : ok ? `survives: ${depth}` : 'SURVIVED';
  return `${ok ? ' ' : '!'} ${name.padEnd(28)} ${(ms / 1000).toFixed(1).padStart(6)} s  ${fate}  (${searched})`;
}

/** @param {readonly Hunted[]} hunted */
export function summaryOf(hunted) {
  const guards = hunted.filter(({ depth }) => depth === '');
  const caught = guards.filter(({ caughtBy }) => caughtBy !== '');
  const deep = hunted.filter(({ depth }) => depth !== '');
  const survivors = deep.filter(({ ok }) => ok);
  return [
    `${caught.length} of ${guards.length} mutants caught`,
    `${survivors.length} of ${deep.length} guards in depth survive, as they are said to`,
  ];
}

/** @param {readonly Hunted[]} hunted @returns {Readonly<Record<string, string>>} the parts of README.md here by name */
export function mutationParts(hunted) {
  const by = (/** @type {string} */ who) => hunted.filter(({ caughtBy }) => caughtBy.startsWith(who)).length;
  const [caught] = summaryOf(hunted);
  const deep = hunted.filter(({ depth }) => depth !== '');
  return {
    summary: `${caught}: ${by('model')} by the model, ${by('simulation')} by the simulation, ${by('spec')} by a spec.`,
    depth: table(
      ['Guard', 'Why nothing misses it', 'Searched without it'],
      deep.map(({ guard, depth, searched }) => [guard, depth, searched]),
    ),
  };
}

/** @returns {readonly Hunted[]} of the last full run */
export const readHunted = () => JSON.parse(readFileSync(new URL('results.json', import.meta.url), 'utf8'));
