// @ts-check
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { openWorld } from '../../verify/world.mjs';
import { Crashes } from '../crashes.mjs';
import { patient, worldOptions } from '../history.mjs';
import { metricsOf } from '../node-memory.mjs';
import { percentiles } from '../percentiles.mjs';

/** @typedef {import('node:net').Socket} Socket */
/** @typedef {import('../../verify/node-process.mjs').NodeProcess} NodeProcess */
/** @typedef {{ rssMb: number, sockets: number }} Size */

/** Of a client that reads nothing, as the nodes are set; of a head, as it always is. */
const deadlineMs = 2_000;
const headDeadlineMs = 10_000;
/** Deadlines are checked once a second, and the machine has other work. */
const graceMs = 4_000;
/** Each client sends so much at once. */
const sentBytes = 65_536;
/** One in so many connections pipelines. */
const share = 50;
const liveWithinMs = 2_000;
/** Half of it is what V8 keeps for what has just been made. */
const growthMb = 400;
/** The connections of this process itself come and go. */
const ownSockets = 5;
/** 2,000 code points of four bytes: a page of a hundred such rows is about a megabyte. */
const heavy = '\u{1F5C4}'.repeat(2_000);
const page = '/items?category=heavy&limit=100';

/** A field that the fast lane leaves to Nest. */
const byNest = 'Cache-Control: max-age=1000\r\n';
const request = (/** @type {string} */ path, fields = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
/** Small answers go into the buffers of the operating system, all of them: there is nothing to wait for. */
const pipelined = [
  { name: 'a page of a megabyte, by the fast lane', text: request(page), stalls: true },
  { name: 'a page of a megabyte, by Nest', text: request(page, byNest), stalls: true },
  { name: 'an item, by the fast lane', text: request('/items/1'), stalls: false },
  { name: 'an item, by Nest', text: request('/items/1', byNest), stalls: false },
  { name: 'metrics', text: request('/metrics'), stalls: false },
];
/** What clients leave behind that never close their side. */
const leftBehind = [
  '',
  'GET /items/1 HTTP/1.1\r\nHost: a\r\nX: ',
  'NONSENSE\r\n\r\n',
  `${request('/items/1')}GET / HT`,
];

/** @type {import('../scenarios.mjs').Scenario} */
export const slowReaders = {
  name: 'slow-readers',
  title: 'clients that pipeline 64 kB of requests and read nothing, or never close their side',
  policy: 'write-through',
  full: { connections: 1_000 },
  short: { connections: 100 },
  async run(stage) {
    const { connections = 1 } = stage.size;
    const crashes = new Crashes(stage);
    const env = { LOG_LEVEL: 'error', REQUEST_TIMEOUT_MS: String(deadlineMs) };
    const options = worldOptions(stage, { nodes: 1, rows: 100, env, settings: patient });
    const world = await openWorld(options, { ...stage, onCrash: crashes.note });
    const node = /** @type {NodeProcess} */ (world.nodes[0]);
    const url = /** @type {URL} */ (node.url);
    const body = { name: 'heavy', description: heavy, category: 'heavy', price: 1, quantity: 1 };
    for (let n = 0; n < 100; n += 1)
      await world.client.send(url, '/items', { method: 'POST', body, timeoutMs: 15_000 });
    for (const { text } of pipelined) await readOnce(url, text.repeat(4), 4);

    const calm = await sizeOf(node);
    const seen = [];
    for (const { name, text, stalls } of pipelined) {
      stage.signal.throwIfAborted();
      const whole = text.repeat(Math.floor(sentBytes / text.length));
      const clients = await open(url, Math.ceil(connections / share), () => whole);
      const { live, most } = await watch(node, deadlineMs + graceMs);
      const left = stalls ? (await sizeOf(node)).sockets - calm.sockets : 0;
      for (const client of clients) client.destroy();
      seen.push({ name, stalls, clients: clients.length, live, grownMb: Math.round(most.rssMb - calm.rssMb), left });
    }
    const clients = await open(url, connections, (at) => String(leftBehind[at % leftBehind.length]));
    const { live, most } = await watch(node, headDeadlineMs + graceMs);
    const left = (await sizeOf(node)).sockets - calm.sockets;
    for (const client of clients) client.destroy();
    const halfOpen = { clients: clients.length, live, held: most.sockets - calm.sockets, left };
    return {
      requirements: [
        ...seen.map(({ name, stalls, clients: count, live: { max }, left: open }) => ({
          claim: `${count} clients that pipeline ${name}: live within ${liveWithinMs} ms${stalls ? ', all closed' : ''}`,
          met: max <= liveWithinMs && open <= ownSockets,
          seen: `${Math.round(max)} ms${stalls ? `, ${open} left after ${(deadlineMs + graceMs) / 1_000} s` : ''}`,
        })),
        {
          claim: `${connections} half-open connections are freed, and live is answered within ${liveWithinMs} ms meanwhile`,
          met: halfOpen.held > connections / 2 && left <= ownSockets && live.max <= liveWithinMs,
          seen: `${halfOpen.held} held, ${left} left after ${(headDeadlineMs + graceMs) / 1_000} s; ${Math.round(live.max)} ms`,
        },
        {
          claim: `the node is never larger by more than ${growthMb} MB`,
          met: Math.max(...seen.map(({ grownMb }) => grownMb)) <= growthMb,
          seen: seen.map(({ grownMb }) => `${grownMb} MB`).join(', '),
        },
        crashes.none(),
      ],
      figures: { calm, pipelined: Object.fromEntries(seen.map(({ name, ...others }) => [name, others])), halfOpen },
    };
  },
};

/** @param {NodeProcess} node @returns {Promise<Size>} */
async function sizeOf(node) {
  const metrics = await metricsOf(node);
  return {
    rssMb: metrics('process_resident_memory_bytes') / 1e6,
    sockets: metrics('nodejs_active_handles_total'),
  };
}

/** Asks whether the node is alive, ten times a second, and how large it is, once a second. @param {NodeProcess} node @param {number} forMs */
async function watch(node, forMs) {
  const took = [];
  const most = { rssMb: 0, sockets: 0 };
  const untilMs = performance.now() + forMs;
  for (let n = 0; performance.now() < untilMs; n += 1) {
    const startedMs = performance.now();
    await (await fetch(new URL('/health/live', node.url))).arrayBuffer();
    took.push(performance.now() - startedMs);
    if (n % 10 === 0) {
      const { rssMb, sockets } = await sizeOf(node);
      most.rssMb = Math.max(most.rssMb, rssMb);
      most.sockets = Math.max(most.sockets, sockets);
    }
    await sleep(100);
  }
  return { live: percentiles(took), most };
}

/** Clients that send, never read, and keep their side open. @param {URL} url @param {number} count @param {(at: number) => string} textOf */
async function open({ hostname, port }, count, textOf) {
  /** @type {Socket[]} */
  const clients = [];
  for (let at = 0; at < count; at += 1) {
    const client = connect({ host: hostname, port: Number(port), allowHalfOpen: true }).pause();
    client.on('error', () => undefined);
    await once(client, 'connect');
    client.write(textOf(at));
    clients.push(client);
  }
  return clients;
}

/** A client that reads so many answers. @param {URL} url @param {string} text @param {number} answers */
async function readOnce({ hostname, port }, text, answers) {
  const client = connect({ host: hostname, port: Number(port) });
  client.write(text);
  let heard = 0;
  for await (const chunk of client) {
    heard += String(chunk).split('HTTP/1.1 200 ').length - 1;
    if (heard >= answers) return;
  }
}
