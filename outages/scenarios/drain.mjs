// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '../../verify/workload/client.mjs';
import { openWorld } from '../../verify/world.mjs';
import { Crashes } from '../crashes.mjs';
import { counts, kept, LiveHistory, patientNodes, worldOptions } from '../history.mjs';
import { percentiles } from '../percentiles.mjs';

/** @typedef {import('../../verify/node-process.mjs').NodeProcess} NodeProcess */
/** @typedef {import('../../verify/workload/client.mjs').Answer} Answer */

/** Clients look this often at who is ready; the nodes keep serving for longer than that. */
const readinessEveryMs = 100;
const drainDelayMs = 500;
/** A limit for what hangs. */
const timeoutMs = 60_000;
/** How long a node that ends waits for a last request on a kept connection: `src/http/lifecycle/graceful-shutdown.ts`. */
const lastRequestMs = 200;
const loyalClients = 8;
const followers = 4;
const writeShare = 0.1;

/** @type {import('../scenarios.mjs').Scenario} */
export const drain = {
  name: 'drain',
  title: 'one of two nodes is told to end (SIGTERM) under load, in turn',
  policy: 'write-through',
  full: { times: 20 },
  short: { times: 2 },
  async run(stage) {
    const { random } = stage;
    const crashes = new Crashes(stage);
    const options = worldOptions(stage, { env: { ...patientNodes, DRAIN_DELAY_MS: String(drainDelayMs) } });
    const world = await openWorld(options, { ...stage, onCrash: crashes.note });
    const { nodes, keys } = world;
    const history = new LiveHistory(stage, world);
    const ready = new Set(nodes);
    const seen = { loyal: { answered: 0, refused: 0 }, followers: { answered: 0, retried: 0 } };
    /** @type {Answer[]} */
    const cutOff = [];
    /** @type {Answer[]} */
    const failures = [];
    /** @type {number[]} */
    const tookMs = [];
    let over = false;

    /** As a balancer does: every node by what it says of itself. */
    const watchReadiness = async () => {
      const client = new Client();
      while (!over) {
        for (const node of nodes) {
          const { url } = node;
          const { status } = url ? await client.send(url, '/health/ready', { timeoutMs }) : { status: 0 };
          if (status === 200) ready.add(node);
          else ready.delete(node);
        }
        await sleep(readinessEveryMs);
      }
      client.close();
    };

    /** Who asks, on connections that are kept, and when each node was last asked. */
    const asker = (/** @type {string} */ name) => ({
      own: random.fork(name),
      client: new Client(),
      askedMs: /** @type {Map<NodeProcess, number>} */ (new Map()),
    });

    /** @param {NodeProcess} node @param {ReturnType<typeof asker>} by */
    const ask = async (node, { own, client }) => {
      const key = own.pick(keys);
      if (own.chance(writeShare)) return history.write(node, key, timeoutMs, client);
      const answer = await client.send(/** @type {URL} */ (node.url), `/items/${key}`, { timeoutMs });
      if (answer.status !== 0) history.recorder.read(node.index, { key }, answer);
      return answer;
    };

    /** Whether it was refused, too: also by a connection that was closed because it had been silent for too long. */
    const send = async (/** @type {NodeProcess} */ node, /** @type {ReturnType<typeof asker>} */ by) => {
      const answer = await ask(node, by);
      const silentMs = answer.invokedMs - (by.askedMs.get(node) ?? Infinity);
      by.askedMs.set(node, answer.invokedMs);
      const { error = '' } = answer;
      const refused = error === 'ECONNREFUSED' || (isReset(error) && silentMs > lastRequestMs);
      return { answer, refused };
    };

    /** Asks one node whatever happens, on connections that it keeps: what was sent must be answered, or never accepted. */
    const loyal = async (/** @type {NodeProcess} */ node, /** @type {number} */ number) => {
      const by = asker(`loyal ${node.index} ${number}`);
      while (!over) {
        if (!node.url) await sleep(20);
        else {
          const { answer, refused } = await send(node, by);
          if (answer.status >= 200 && answer.status < 300) seen.loyal.answered += 1;
          else if (refused) seen.loyal.refused += await sleep(20, 1);
          else cutOff.push(answer);
        }
      }
      by.client.close();
    };

    /** Asks whoever is ready, and another one where it is refused. */
    const follower = async (/** @type {number} */ number) => {
      const by = asker(`follower ${number}`);
      while (!over) {
        const [first, second] = by.own.shuffle([...ready].filter(({ url }) => url));
        if (!first) await sleep(5);
        else {
          let { answer, refused } = await send(first, by);
          if (refused && second) {
            seen.followers.retried += 1;
            ({ answer } = await send(second, by));
          }
          if (answer.status >= 200 && answer.status < 300) seen.followers.answered += 1;
          else failures.push(answer);
        }
        await sleep(2);
      }
      by.client.close();
    };

    const clients = [watchReadiness(), ...nodes.flatMap((node) => range(loyalClients, (n) => loyal(node, n)))];
    clients.push(...range(followers, follower));
    for (let time = 0; time < (stage.size.times ?? 1); time += 1) {
      stage.signal.throwIfAborted();
      const node = /** @type {NodeProcess} */ (nodes[time % nodes.length]);
      await sleep(random.between(300, 600));
      const startedMs = performance.now();
      await node.terminate();
      tookMs.push(performance.now() - startedMs);
      await node.start();
      while (ready.size < nodes.length) await sleep(20);
    }
    over = true;
    await Promise.all(clients);
    const judgement = await history.judge();
    return {
      requirements: [
        {
          claim: 'every request that was accepted is answered',
          met: cutOff.length === 0 && seen.loyal.answered > 0,
          seen: `${cutOff.length} of ${seen.loyal.answered} were not${reasons(cutOff)}`,
        },
        {
          claim: 'who follows readiness and retries where it is refused sees no failure',
          met: failures.length === 0 && seen.followers.answered > 0,
          seen: `${failures.length} of ${seen.followers.answered}${reasons(failures)}`,
        },
        kept(judgement),
        crashes.none(),
      ],
      figures: { seen, tookMs: percentiles(tookMs), ...counts(judgement) },
    };
  },
};

const isReset = (/** @type {string} */ error) => error === 'ECONNRESET' || error === 'EPIPE';

/** @template T @param {number} count @param {(n: number) => T} make */
const range = (count, make) => Array.from({ length: count }, (_, n) => make(n));

/** @param {readonly Answer[]} answers */
function reasons(answers) {
  const found = new Set(answers.map(({ status, error }) => error ?? String(status)));
  return found.size > 0 ? `: ${[...found].join(', ')}` : '';
}
