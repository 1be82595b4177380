// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { inspectable } from '../../test/support/inspector.mjs';
import { parseCacheStatus } from '../../verify/workload/cache-status.mjs';
import { openWorld } from '../../verify/world.mjs';
import { Crashes } from '../crashes.mjs';
import { LiveHistory, patient, worldOptions } from '../history.mjs';
import { generateLoad } from '../load/generator.mjs';
import { isFlat, memoryOf, metricsOf, sizeOf } from '../node-memory.mjs';

/** @typedef {import('../load/open-loop.mjs').Asked} Asked */

const l1Bytes = 4 * 1024 * 1024;
const rows = 100;
const callers = 12;
const timeoutMs = 15_000;
/** 2,000 code points of four bytes: a page of a hundred such rows is about a megabyte. */
const heavy = '\u{1F5C4}'.repeat(2_000);
const heavyPage = '/items?category=heavy&limit=100';
/** So many requests first: code is compiled, pools are open, L1 is full. */
const warmUp = 20_000;

/** @type {import('../scenarios.mjs').Scenario} */
export const memory = {
  name: 'memory',
  title: 'distinct keys, values of a megabyte and a mixed load, for a long time',
  policy: 'write-through',
  full: { keys: 1_000_000, seconds: 600 },
  short: { keys: 2_000, seconds: 2 },
  async run(stage) {
    const { keys = 1, seconds = 1 } = stage.size;
    const crashes = new Crashes(stage);
    const env = { NODE_OPTIONS: inspectable, LOG_LEVEL: 'error', CACHE_L1_MAX_BYTES: String(l1Bytes) };
    const options = worldOptions(stage, { nodes: 1, rows, further: keys, env, settings: patient });
    const world = await openWorld(options, { ...stage, onCrash: crashes.note });
    const { client, keys: written } = world;
    const node = /** @type {import('../../verify/node-process.mjs').NodeProcess} */ (world.nodes[0]);
    const base = /** @type {URL} */ (node.url);
    const url = String(base);

    const sizes = { page: 0, l1: 0, served: 0 };
    const body = { name: heavy.slice(0, 400), description: heavy, category: 'heavy', price: 1, quantity: 1 };
    for (let n = 0; n < 100; n += 1) await client.send(base, '/items', { method: 'POST', body, timeoutMs });
    const readHeavy = async () => {
      const { text, headers } = await client.send(base, heavyPage, { timeoutMs });
      const served = parseCacheStatus(String(headers['cache-status'] ?? ''));
      sizes.page = Buffer.byteLength(text);
      sizes.served += 1;
      if (served.hit && served.level === 'l1') sizes.l1 += 1;
    };

    const from = rows + 1;
    const each = /** @type {Asked} */ ({ kind: 'each', from, count: keys });
    const mixed = /** @type {Asked[]} */ ([
      each,
      each,
      each,
      { kind: 'row', from: 1, count: rows },
      { kind: 'page', from: 0, count: 1_000 },
      { kind: 'garbage', from: 0, count: 1_000_000 },
    ]);
    await generateLoad({ url, forMs: 250 * seconds + 2_000, requests: warmUp, asked: mixed, callers });
    const before = await memoryOf(node);

    const history = new LiveHistory(stage, world);
    let over = false;
    let most = 0;
    const others = (async () => {
      while (!over) {
        await history.write(node, stage.random.pick(written), timeoutMs);
        await readHeavy();
        most = Math.max(most, (await metricsOf(node))('cache_l1_bytes'));
        await sleep(100);
      }
    })();
    const distinct = await generateLoad({ url, forMs: 500 * seconds, asked: mixed, callers });
    const middle = await memoryOf(node);
    const rest = await generateLoad({ url, forMs: 500 * seconds, asked: mixed, callers });
    over = true;
    await others;
    const after = await memoryOf(node);
    const answered = distinct.answered + rest.answered;
    return {
      requirements: [
        {
          claim: `L1 stays within its ${l1Bytes} bytes`,
          met: most > 0 && most <= l1Bytes,
          seen: `${most} at most, with ${keys} rows and ${answered} requests`,
        },
        {
          claim: 'what is too large for it is not kept there',
          met: sizes.l1 === 0 && sizes.page > 800_000,
          seen: `${sizes.l1} of ${sizes.served} pages of ${sizes.page} bytes came from L1`,
        },
        {
          claim: 'the heap does not grow',
          met: isFlat(before, after),
          seen: `${sizeOf(before)} at first, ${sizeOf(middle)} half way, ${sizeOf(after)} after ${seconds} s`,
        },
        {
          claim: 'nothing fails',
          met:
            distinct.failed + rest.failed === 0 &&
            [distinct, rest].every(({ statuses }) => !Object.keys(statuses).some((status) => status >= '500')),
          seen: `${JSON.stringify(distinct.statuses)}, ${JSON.stringify(rest.statuses)}`,
        },
        crashes.none(),
      ],
      figures: { before, middle, after, rate: rest.rate },
    };
  },
};
