// @ts-check
/**
 * Where an answer came from.
 * @typedef {{ hit: true, layer: 'api' | 'db', level: 'l1' | 'l2', bypass: false, stale: boolean }
 *   | { hit: false, bypass: boolean, stale: false }} Served
 */

/** @type {Map<string, Served>} few headers differ in more than their `ttl` */
const parsed = new Map();
const mostParsed = 5_000;

/**
 * Reads a `Cache-Status` header (RFC 9211): the layer nearest to the client that had the answer.
 * @param {string} text
 * @returns {Served}
 */
export function parseCacheStatus(text) {
  const known = parsed.get(text);
  if (known) return known;
  if (parsed.size > mostParsed) parsed.clear();
  const served = parse(text);
  parsed.set(text, served);
  return served;
}

/** @param {string} text @returns {Served} */
function parse(text) {
  const members = text.split(/,\s*/);
  for (const layer of /** @type {const} */ (['api', 'db'])) {
    const member = members.find((candidate) => candidate.startsWith(`strata-${layer};`));
    if (!member || !/;\s*hit\b/.test(member)) continue;
    const level = /;\s*detail=(l[12])\b/.exec(member)?.[1] === 'l1' ? 'l1' : 'l2';
    return { hit: true, layer, level, bypass: false, stale: /;\s*ttl=-/.test(member) };
  }
  return { hit: false, bypass: !/fwd=(?:uri-miss|miss|stale|request)\b/.test(text), stale: false };
}
