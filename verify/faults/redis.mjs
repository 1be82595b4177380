// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {import('./faults.mjs').World} World */
/** @typedef {import('./faults.mjs').Place} Place */
/** @typedef {import('./faults.mjs').Detail} Detail */
/** @typedef {import('../random.mjs').Random} Random */

/** What happens to Redis and its data. */
export const redisFaults = {
  /** @param {World} world @param {Random} random @returns {Promise<Detail>} */
  async flush({ redis }, random) {
    const times = 1 + random.integer(3);
    for (let time = 0; time < times; time += 1) {
      if (time > 0) await sleep(random.between(5, 150));
      await redis.flush();
    }
    return `${times} times`;
  },

  /** @param {World} world @param {Random} random @returns {Promise<Detail>} */
  async 'redis-restart'({ redis }, random) {
    await redis.kill();
    await sleep(random.between(0, 600));
    await redis.restart();
  },

  /** It comes back with what it had a moment ago. @param {World} world @param {Random} random @returns {Promise<Detail>} */
  async 'redis-old-rdb'({ redis }, random) {
    await redis.save();
    await sleep(random.between(100, 1_500));
    await redis.kill();
    await sleep(random.between(0, 400));
    await redis.restart({ withSaved: true });
  },

  /**
   * Some nodes are on another server for a while, with what it had when it was last used; then the others follow, or
   * those come back.
   * @param {World} world
   * @param {Random} random
   * @returns {Promise<Detail>}
   */
  async 'redis-move'(world, random) {
    const { redis, spare, places } = world;
    if (!spare) throw new Error('redis-move needs a second Redis');
    const shuffled = random.shuffle(places);
    const moving = shuffled.slice(0, 1 + random.integer(Math.max(1, places.length - 1)));
    move(world, moving, spare.port);
    await sleep(random.between(500, 2_500));
    const follow = random.chance(0.5);
    if (follow) {
      move(world, shuffled.slice(moving.length), spare.port);
      [world.redis, world.spare] = [spare, redis];
    } else move(world, moving, redis.port);
    return `${moving.map(({ node }) => `node ${node.index}`).join(' and ')}, ${follow ? 'then the others' : 'and back'}`;
  },
};

/** Each of them may have lost a message with its connections. @param {World} world @param {readonly Place[]} places @param {number} port */
function move({ recorder }, places, port) {
  for (const { node, proxy } of places) {
    const fromMs = performance.now();
    proxy.moveTo(port);
    recorder.fault({ name: 'redis-reconnect', node: node.index, fromMs, untilMs: performance.now() });
  }
}
