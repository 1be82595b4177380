// @ts-check
/** @typedef {import('../run.mjs').Recorded} Recorded */

/** @typedef {{ atMs: number, node: number, fresh: boolean, hit: 'l1' | 'l2' | null, detail: string }} Look one read of the witness; `detail`: why a layer was not used */

/**
 * What happened to the witness, in ms from the moment its write was acknowledged.
 * @typedef {object} Story
 * @property {number} key
 * @property {number} writer the node that wrote
 * @property {number} cutOff the node that did not reach Redis meanwhile
 * @property {number} cutMs
 * @property {number} healedMs
 * @property {number} sentMs
 * @property {number | null} committedMs null where the server does not note it
 * @property {number | null} toldMs when an invalidation of the row was sent to every node; null if none was
 * @property {Look[]} looks
 */

/**
 * @param {Recorded} recorded
 * @param {import('../script.mjs').Witness} witness
 * @returns {Story | undefined} nothing if it was not written
 */
export function storyOf({ history, heard, witnessCommittedMs }, { key, writer, cutOff }) {
  const write = history.writes.find((candidate) => candidate.key === key && candidate.outcome === 'ok');
  const cut = history.faults.find(({ name }) => name === 'partition');
  if (!write || !cut || write.node !== writer || cut.node !== cutOff) return undefined;
  const zeroMs = write.completedMs;
  const since = (/** @type {number | undefined} */ ms) => (ms === undefined ? null : ms - zeroMs);
  const told = heard.find(({ sentMs, tags }) => sentMs >= write.invokedMs - 1 && tags.includes(`items:${key}`));
  return {
    ...{ key, writer, cutOff },
    cutMs: cut.fromMs - zeroMs,
    healedMs: cut.untilMs - zeroMs,
    sentMs: write.invokedMs - zeroMs,
    committedMs: since(witnessCommittedMs),
    toldMs: since(told?.sentMs),
    looks: history.reads
      .filter((read) => read.key === key && read.outcome === 'ok')
      .map(({ invokedMs, node, rows, cacheStatus }) => ({
        atMs: invokedMs - zeroMs,
        node,
        fresh: rows[0]?.[1] === write.version,
        ...served(cacheStatus),
      })),
  };
}

/** @param {string} cacheStatus @returns {Pick<Look, 'hit' | 'detail'>} */
function served(cacheStatus) {
  const detail = (/** @type {string | undefined} */ member) => /;\s*detail=([\w-]+)/.exec(member ?? '')?.[1] ?? '';
  const members = cacheStatus.split(/,\s*/).reverse();
  const hit = members.find((member) => /;\s*hit\b/.test(member));
  if (hit) return { hit: detail(hit) === 'l1' ? 'l1' : 'l2', detail: '' };
  return { hit: null, detail: detail(members.find((member) => detail(member) !== '')) };
}
