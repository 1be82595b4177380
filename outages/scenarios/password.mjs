// @ts-check
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../../scripts/services/redis.mjs';
import { openWorld } from '../../verify/world.mjs';
import { Crashes } from '../crashes.mjs';
import { counts, kept, LiveHistory, patientNodes, worldOptions } from '../history.mjs';
import { percentiles } from '../percentiles.mjs';

/** @typedef {import('../../verify/node-process.mjs').NodeProcess} NodeProcess */

/** Nowhere in a log by chance. */
const password = 'correct-horse-battery-staple';
/** A limit for what hangs. */
const timeoutMs = 60_000;
const healsWithinMs = 30_000;

/** @type {import('../scenarios.mjs').Scenario} */
export const passwordRotated = {
  name: 'password',
  title: 'the user in Redis gets another password, or is removed, and its connections are cut',
  policy: 'write-through',
  full: { times: 20 },
  short: { times: 2 },
  async run(stage) {
    const crashes = new Crashes(stage);
    const options = worldOptions(stage, { env: patientNodes });
    const surroundings = { ...stage, onCrash: crashes.note };
    const world = await openWorld(options, surroundings, async (_, { redis, databaseUrl }) => {
      await allow(redis.port);
      return { redisPort: redis.port, redisUser: `strata:${password}`, databaseUrl: databaseUrl.href };
    });
    const { nodes, client, redis } = world;
    const history = new LiveHistory(stage, world);
    const workload = history.load({ readers: 3, writers: 2 });

    /** What a node says of its Redis. @param {NodeProcess} node */
    const health = async ({ url }) => {
      const answer = await client.send(/** @type {URL} */ (url), '/health', { timeoutMs });
      return answer.status === 200 ? JSON.parse(answer.text) : {};
    };
    const all = async (/** @type {(found: any) => boolean} */ are) => (await Promise.all(nodes.map(health))).every(are);

    /** @type {number[]} */
    const healedMs = [];
    let named = 0;
    const { times = 1 } = stage.size;
    for (let time = 0; time < times; time += 1) {
      stage.signal.throwIfAborted();
      await sleep(stage.random.between(200, 1_500));
      await history.fault('redis-restart', async () => {
        await (time % 2 === 0 ? rotate : remove)(redis.port);
        const untilMs = performance.now() + healsWithinMs;
        const isNamed = () =>
          all(({ status, details }) => status === 'degraded' && /password/.test(details.redis.reason));
        while (!(await isNamed()) && performance.now() < untilMs) await sleep(20);
        named += Number(await isNamed());
        await sleep(stage.random.between(0, 800));
        await allow(redis.port);
      });
      const mendedMs = performance.now();
      const isHealed = () => all(({ status }) => status === 'ok');
      while (!(await isHealed()) && performance.now() < mendedMs + timeoutMs) await sleep(20);
      healedMs.push(performance.now() - mendedMs);
    }
    await workload.stop();
    const judgement = await history.judge();
    const failed = history.recorder.reads.filter(({ outcome }) => outcome !== 'ok');
    const leaks = nodes.filter(({ log }) => readFileSync(log, 'utf8').includes(password));
    const slowestMs = Math.round(Math.max(...healedMs));
    return {
      requirements: [
        { claim: 'no read fails', met: failed.length === 0, seen: `${failed.length} of ${judgement.reads}` },
        { claim: '/health of every node names the reason', met: named === times, seen: `${named} of ${times} times` },
        {
          claim: `healthy within ${healsWithinMs} ms of the password's return`,
          met: slowestMs <= healsWithinMs,
          seen: `${slowestMs} ms at most`,
        },
        { claim: 'no log has the password', met: leaks.length === 0, seen: `${leaks.length} of ${nodes.length}` },
        kept(judgement),
        crashes.none(),
      ],
      figures: { ...counts(judgement), healedMs: percentiles(healedMs) },
    };
  },
};

/** @param {number} port @param {string} command */
async function tell(port, command) {
  const answer = await ask(port, `${command}\r\n`);
  if (/^-/.test(answer)) throw new Error(`${command}: ${answer}`);
}

const allow = (/** @type {number} */ port) => tell(port, `ACL SETUSER strata reset on >${password} ~* &* +@all`);

/** @param {number} port */
async function rotate(port) {
  await tell(port, 'ACL SETUSER strata resetpass >another');
  await tell(port, 'CLIENT KILL USER strata');
}

/** Redis ends the connections of a user that is removed. @param {number} port */
const remove = (port) => tell(port, 'ACL DELUSER strata');
