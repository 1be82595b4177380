// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { categories } from '../../verify/workload/choices.mjs';
import { openWorld } from '../../verify/world.mjs';
import { Crashes } from '../crashes.mjs';
import { faultPointsOf, Tripwire } from '../fault-points.mjs';
import { counts, kept, LiveHistory, patientNodes, worldOptions } from '../history.mjs';
import { percentiles } from '../percentiles.mjs';

/** @typedef {import('../../verify/node-process.mjs').NodeProcess} NodeProcess */

/** A limit for what hangs. */
const timeoutMs = 60_000;
/** What is not right by then counts as stale for ever; nothing but the feed repairs it before its TTL. */
const giveUpMs = 30_000;

/** @type {import('../scenarios.mjs').Scenario} */
export const writerKilled = {
  name: 'writer-killed',
  title: 'the process of a writer is killed at each step of its write, with the feed on',
  policy: 'write-through',
  full: { times: 200 },
  short: { times: 5 },
  async run(stage) {
    const { random, signal, size, policy } = stage;
    const crashes = new Crashes(stage);
    /** @type {Tripwire[]} */
    const wires = [];
    const options = worldOptions(stage, { nodes: 3, env: patientNodes });
    const surroundings = { ...stage, onCrash: crashes.note };
    const world = await openWorld(options, surroundings, async (index, { redis, databaseUrl }) => {
      const wire = new Tripwire({ host: databaseUrl.hostname, port: Number(databaseUrl.port) }, redis);
      await wire.listen();
      wires[index] = wire;
      stage.undo.add(() => wire.close());
      return wire.way(databaseUrl);
    });
    const { nodes, client, database, keys } = world;
    const history = new LiveHistory(stage, world);
    const points = random.shuffle(await faultPointsOf(world.dist, policy));

    /** @type {Record<string, number>} */
    const reached = Object.fromEntries(points.map((point) => [nameOf(point), 0]));
    /** @type {number[]} */
    const healedMs = [];
    const left = [];
    let unreached = 0;
    /** Nodes that are starting again, or run. */
    const running = nodes.map(() => Promise.resolve());

    for (let time = 0; time < (size.times ?? 1); time += 1) {
      signal.throwIfAborted();
      const point = /** @type {import('../fault-points.mjs').FaultPoint} */ (points[time % points.length]);
      if (time > 0 && time % 50 === 0) stage.say(`${time} kills`);
      const victim = /** @type {NodeProcess} */ (nodes[time % nodes.length]);
      const wire = /** @type {Tripwire} */ (wires[victim.index]);
      await running[victim.index];
      if (!nodes.some((node) => node !== victim && node.url)) await Promise.all(running);
      const witnesses = nodes.filter((node) => node !== victim && node.url);
      const key = random.pick(keys);
      for (const node of witnesses) await look(node, key);
      await readRow(victim, key);

      const killed = new Promise((resolve) => {
        wire.arm(point, () => resolve(victim.kill()));
      });
      await Promise.race([history.write(victim, key, timeoutMs), killed]);
      if (wire.armed) {
        wire.disarm();
        unreached += 1;
        continue;
      }
      await killed;
      await database.settled();
      const killedMs = performance.now();
      reached[nameOf(point)] = (reached[nameOf(point)] ?? 0) + 1;
      running[victim.index] = victim.start();

      for (const node of witnesses) {
        while (!(await agrees(node, key)) && performance.now() < killedMs + giveUpMs) await sleep(5);
        if (!(await agrees(node, key))) left.push({ key, node: node.index, point: nameOf(point) });
      }
      healedMs.push(performance.now() - killedMs);
    }
    await Promise.all(running);
    const judgement = await history.judge();

    /** @param {NodeProcess} node @param {{ key?: number, category?: string }} asked @param {string} path */
    async function read({ url, index }, asked, path) {
      const answer = await client.send(/** @type {URL} */ (url), path, { timeoutMs });
      history.recorder.read(index, asked, answer);
      return answer.status === 200 ? JSON.parse(answer.text) : undefined;
    }

    /** @param {NodeProcess} node @param {number} key */
    function readRow(node, key) {
      return read(node, { key }, `/items/${key}`);
    }

    /** A row, and the lists that it may be in, by category. @param {NodeProcess} node @param {number} key */
    async function look(node, key) {
      const pages = [];
      for (const category of categories)
        pages.push((await read(node, { category }, `/items?category=${category}&limit=100`))?.data);
      return { row: await readRow(node, key), pages };
    }

    /** Whether a node shows it all as the database has it. @param {NodeProcess} node @param {number} key */
    async function agrees(node, key) {
      const rows = await database.current();
      const { row, pages } = await look(node, key);
      const inLists = categories.every((category, index) => {
        const shown = pages[index]?.map((/** @type {{ id: number, version: number }} */ { id, version }) => [
          id,
          version,
        ]);
        const there = rows.filter((of) => of.category === category).map((of) => [Number(of.key), of.version]);
        return shown && versions(shown) === versions(there);
      });
      return inLists && row?.version === rows.find((of) => of.key === key)?.version;
    }

    const never = Object.entries(reached).filter(([, count]) => count === 0);
    const all = healedMs.length;
    return {
      requirements: [
        { claim: 'no row is left stale', met: left.length === 0 && all > 0, seen: `${left.length} after ${all} kills` },
        {
          claim: 'each step is hit',
          met: unreached === 0 && (never.length === 0 || all < points.length),
          seen: `${points.length - never.length} of ${points.length}, ${unreached} writes went by unhit`,
        },
        kept(judgement),
        crashes.none(),
      ],
      figures: { ...counts(judgement), healedMs: percentiles(healedMs), reached },
    };
  },
};

/** @param {number[][]} rows */
const versions = (rows) => JSON.stringify(rows.toSorted(([a = 0], [b = 0]) => a - b));

/** @param {import('../fault-points.mjs').FaultPoint} point */
const nameOf = ({ message, moment }) => `${message.name} ${moment}`;
