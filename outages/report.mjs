// @ts-check
/** @typedef {import('./scenarios.mjs').Requirement} Requirement */

/** For people. @param {readonly Requirement[]} requirements @param {Record<string, unknown>} figures */
export function report(requirements, figures) {
  const claims = requirements.map(({ claim, met, seen }) => `  ${met ? 'ok ' : 'NOT'}  ${claim}: ${seen}`);
  const others = Object.entries(figures).map(([name, value]) => `       ${name}: ${textOf(value)}`);
  return [...claims, ...others].join('\n');
}

/** @param {unknown} value @returns {string} */
function textOf(value) {
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.map(textOf).join(', ');
  return Object.entries(value)
    .map(([name, inner]) => (typeof inner === 'object' && inner ? `${name} (${textOf(inner)})` : `${name} ${inner}`))
    .join(', ');
}
