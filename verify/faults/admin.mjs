// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { policies } from '../checker/history.mjs';

/** @typedef {import('./faults.mjs').World} World */
/** @typedef {import('./faults.mjs').Detail} Detail */
/** @typedef {import('../random.mjs').Random} Random */
/** @typedef {import('../node-process.mjs').NodeProcess} NodeProcess */

/** A switch waits for the writers of the policy before, and for a server that is away. */
const timeoutMs = 10_000;
const giveUpMs = 30_000;

/** What an operator does, under load. */
export const adminFaults = {
  /** Everything cached, up to three times, each from some node. @param {World} world @param {Random} random @returns {Promise<Detail>} */
  async clear(world, random) {
    const times = 1 + random.integer(3);
    for (let time = 0; time < times; time += 1) {
      if (time > 0) await sleep(random.between(20, 500));
      const node = random.pick(world.places).node;
      const answer = await send(world, node, 'POST', '/admin/cache/clear');
      if (answer && answer.status !== 200) world.recorder.refusals.push({ what: 'clear', node: node.index, ...answer });
    }
    return `${times} times`;
  },

  /** Two switches at once, from two nodes, and back. @param {World} world @param {Random} random @returns {Promise<Detail>} */
  async switch(world, random) {
    const entity = random.pick(['items', 'items', 'documents', 'accounts']);
    const [first, second] = random.shuffle(policies);
    const [a, b = a] = random.shuffle(world.places);
    const path = `/admin/cache/policies/${entity}`;
    const one = a && send(world, a.node, 'PUT', path, { policy: first });
    await sleep(random.between(0, 600));
    const other = b && send(world, b.node, 'PUT', path, { policy: second });
    const answers = await Promise.all([one, other]);
    await sleep(random.between(200, 1_500));
    await switchBack(world, random, path);
    return `${entity}: ${first} ${answers[0]?.status}, ${second} ${answers[1]?.status}`;
  },
};

/** Until every node that runs says so. @param {World} world @param {Random} random @param {string} path */
async function switchBack(world, random, path) {
  const { policy, places, recorder } = world;
  const giveUpAtMs = performance.now() + giveUpMs;
  for (;;) {
    const { node } = random.pick(places);
    const answer = await send(world, node, 'PUT', path, { policy });
    const told = await Promise.all(places.map((place) => send(world, place.node, 'GET', path)));
    const everywhere = told.every((said) => !said || (said.status === 200 && JSON.parse(said.text).policy === policy));
    if (answer?.status === 200 && everywhere) return;
    if (performance.now() > giveUpAtMs && answer) {
      recorder.refusals.push({ what: `switch back to ${policy}`, node: node.index, ...answer });
      return;
    }
    await sleep(100);
  }
}

/**
 * @param {World} world
 * @param {NodeProcess} node
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<{ status: number, text: string, invokedMs: number, completedMs: number } | undefined>} undefined: it does not run
 */
async function send({ client, adminToken }, { url }, method, path, body) {
  if (!url) return undefined;
  const headers = { Authorization: `Bearer ${adminToken}` };
  const { status, text, invokedMs, completedMs } = await client.send(url, path, { method, body, headers, timeoutMs });
  return { status, text, invokedMs, completedMs };
}
