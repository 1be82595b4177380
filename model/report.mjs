// @ts-check

/** @typedef {import('./tasks.mjs').Explored} Explored */
/** @typedef {import('./tasks.mjs').Hunted} Hunted */
/** @typedef {import('./tasks.mjs').Traces} Traces */

/** @param {number} count */
export const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

/** @param {Explored} explored */
export function explorationLine({ name, states, depth, exhaustive, broken, expected, ok }) {
  const outcome = broken === '' ? 'nothing broken' : `breaks ${[...broken].join(' ')}`;
  const verdict = ok ? 'as documented' : exhaustive ? `DOCUMENTED: ${expected || 'nothing broken'}` : 'NOT FINISHED';
  return `${ok ? ' ' : '!'} ${name.padEnd(76)} ${grouped(states).padStart(8)} states, ${String(depth).padStart(2)} deep  ${outcome.padEnd(14)}  ${verdict}`;
}

/** @param {Hunted} hunted */
export function huntLine({ guard, caughtBy, broken, states, depth, ok }) {
  const fate = caughtBy ? `breaks ${broken}: ${caughtBy}` : depth ? `survives: ${depth}` : 'SURVIVES';
  return `${ok ? ' ' : '!'} ${guard.padEnd(64)} ${grouped(states).padStart(8)} states  ${caughtBy && depth ? 'SAID TO SURVIVE, ' : ''}${fate}`;
}

/** @param {Traces} traces @returns {string} */
export const tracesText = (traces) =>
  Object.entries(traces)
    .map(([property, steps]) => [`    ${property}:`, ...steps.map((step, i) => `      ${i + 1}. ${step}`)].join('\n'))
    .join('\n');

/** @param {readonly Hunted[]} hunted */
export function summaryOfMutants(hunted) {
  const guards = hunted.filter(({ known, depth }) => !known && depth === '');
  const deep = hunted.filter(({ depth }) => depth !== '');
  const known = hunted.filter((one) => one.known);
  const caught = (/** @type {readonly Hunted[]} */ some) => some.filter(({ caughtBy }) => caughtBy !== '').length;
  return [
    `${caught(guards)} of ${guards.length} mutants caught by the model`,
    `${deep.length - caught(deep)} of ${deep.length} guards in depth survive an exhaustive search`,
    `${caught(known)} of ${known.length} rules known to be wrong are shown to be`,
  ];
}
