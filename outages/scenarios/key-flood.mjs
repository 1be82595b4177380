// @ts-check
import { inspectable } from '../../test/support/inspector.mjs';
import { openWorld } from '../../verify/world.mjs';
import { Crashes } from '../crashes.mjs';
import { patient, worldOptions } from '../history.mjs';
import { generateLoad } from '../load/generator.mjs';
import { isFlat, memoryOf, sizeOf } from '../node-memory.mjs';

/** @typedef {import('../load/open-loop.mjs').Asked} Asked */

const hotRows = 1_000;
const hotRate = 200;
const callers = 16;
const longestMs = 600_000;
/** A first part of the flood fills what is bounded. */
const firstShare = 0.2;
/** What those may still take that the first part has left room for: absent rows, which are bounded by count. */
const negativesMb = 8;
const tolerance = 0.05;

/** @type {import('../scenarios.mjs').Scenario} */
export const keyFlood = {
  name: 'key-flood',
  title: 'a flood of ids that nobody has, then of garbage query strings, next to a hot set',
  policy: 'write-through',
  full: { keys: 100_000 },
  short: { keys: 500 },
  async run(stage) {
    const { keys = 1 } = stage.size;
    const crashes = new Crashes(stage);
    const env = { NODE_OPTIONS: inspectable, LOG_LEVEL: 'error' };
    const world = await openWorld(worldOptions(stage, { nodes: 1, rows: hotRows, env, settings: patient }), {
      ...stage,
      onCrash: crashes.note,
    });
    const node = /** @type {import('../../verify/node-process.mjs').NodeProcess} */ (world.nodes[0]);
    const url = String(node.url);
    const hot = /** @type {Asked} */ ({ kind: 'row', from: 1, count: hotRows });
    const hitsOf = async (/** @type {number} */ forMs) => generateLoad({ url, forMs, asked: hot, rate: hotRate });

    await generateLoad({ url, forMs: longestMs, requests: 5 * hotRows, asked: hot, callers });
    const calm = ratio([await hitsOf(2_000)]);
    const floods = /** @type {const} */ (['each', 'garbage']);
    const seen = [];
    for (const kind of floods) {
      stage.signal.throwIfAborted();
      const flood = (/** @type {number} */ from, /** @type {number} */ to) => {
        const asked = { kind, from: 2_000_000 + Math.floor(keys * from), count: Math.ceil(keys * (to - from)) };
        return generateLoad({ url, forMs: longestMs, requests: asked.count, asked, callers });
      };
      await flood(0, firstShare);
      const before = await memoryOf(node);
      let over = false;
      const rest = flood(firstShare, 1).finally(() => (over = true));
      const during = [];
      while (!over) during.push(await hitsOf(2_000));
      const { statuses, failed, rate } = await rest;
      const after = await memoryOf(node);
      seen.push({ kind, statuses, failed, rate, hot: ratio(during), before, after });
    }
    const names = { each: 'ids that nobody has', garbage: 'garbage query strings' };
    return {
      requirements: [
        ...seen.flatMap(({ kind, hot: during, before, after, statuses, failed }) => [
          {
            claim: `${keys} ${names[kind]}: the hot set is hit as before, within ${100 * tolerance} %`,
            met: during >= calm - tolerance,
            seen: `${percent(during)}, before ${percent(calm)}`,
          },
          {
            claim: `${names[kind]}: memory stays flat`,
            met: isFlat(before, after, kind === 'each' ? negativesMb : 0),
            seen: `${sizeOf(before)} after a fifth, ${sizeOf(after)} at the end`,
          },
          {
            claim: `${names[kind]}: each is answered for what it is`,
            met: failed === 0 && !Object.keys(statuses).some((status) => status >= '500'),
            seen: JSON.stringify(statuses),
          },
        ]),
        crashes.none(),
      ],
      figures: { calm, floods: Object.fromEntries(seen.map(({ kind, ...others }) => [kind, others])) },
    };
  },
};

/** @param {readonly import('../load/open-loop.mjs').LoadResult[]} results */
function ratio(results) {
  const hits = results.reduce((sum, result) => sum + result.hits, 0);
  const answered = results.reduce((sum, result) => sum + result.answered, 0);
  return Math.round((1e4 * hits) / answered) / 1e4;
}

/** @param {number} share */
const percent = (share) => `${(100 * share).toFixed(2)} %`;
