import { Logger } from '@nestjs/common';
import { join } from 'node:path';
import tls from 'node:tls';
import { ROOT } from '../../scripts/services/folders.mjs';
import { freePort } from '../../scripts/services/ports.mjs';
import { isRefused as isRefusedOf, withNode as withNodeOf } from '../support/redis-setups.js';
import { sharedRedis, startRedis } from '../support/services.js';
import { create, hitAt } from '../support/site.js';
import { createMigratedDatabase, type StartAppOptions, type TestApp } from '../support/start-app.js';

const certificate = (name: string) => join(ROOT, 'test', 'support', 'certificates', name);
/** Nodes share it one after the other. */
let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let warnings: jest.SpyInstance<void, Parameters<Logger['warn']>>;
beforeAll(async () => (database = await createMigratedDatabase()));
afterAll(() => database.drop());
beforeEach(() => (warnings = jest.spyOn(Logger.prototype, 'warn')));
afterEach(() => warnings.mockRestore());

const withNode = (options: StartAppOptions, work: (node: TestApp) => Promise<void>): Promise<void> =>
  withNodeOf({ database: database.url, ...options }, work);
const isRefused = (node: TestApp, reason: RegExp): Promise<void> => isRefusedOf(warnings, node, reason);

/** Redis with TLS alone. */
async function startTlsRedis(...more: string[]) {
  const port = await freePort();
  const files = ['--tls-cert-file', certificate('server.pem'), '--tls-key-file', certificate('server.key')];
  const server = await startRedis({
    args: ['--tls-port', String(port), '--tls-ca-cert-file', certificate('ca.pem'), ...files, ...more],
  });
  return { url: `rediss://127.0.0.1:${port}`, plainUrl: `redis://127.0.0.1:${port}`, stop: () => server.stop() };
}

it('a Redis that expects TLS is named with the remedy', async () => {
  const { plainUrl, stop } = await startTlsRedis();
  await withNode({ redis: plainUrl, redisIsAway: true }, (node) => isRefused(node, /use rediss:/));
  await stop();
});

it('a Redis that speaks no TLS is named with the remedy', async () => {
  const redis = await sharedRedis();
  const url = redis.url.replace('redis:', 'rediss:');
  await withNode({ redis: url, redisIsAway: true }, (node) => isRefused(node, /use redis:\/\//));
});

it('a Redis with TLS is used with its own authority and a certificate of the node, by the cache and by the queue', async () => {
  const { url, stop } = await startTlsRedis('--tls-auth-clients', 'yes');
  const mine = { REDIS_TLS_CERT: certificate('client.pem'), REDIS_TLS_KEY: certificate('client.key') };
  const authority = { REDIS_TLS_CA: certificate('ca.pem') };
  await withNode({ redis: url, redisIsAway: true, env: mine }, (node) => isRefused(node, /SELF_SIGNED_CERT_IN_CHAIN/));
  await withNode({ redis: url, redisIsAway: true, env: authority }, (node) => isRefused(node, /CERTIFICATE_REQUIRED/));
  await withNode({ redis: url, env: { ...authority, ...mine } }, async (node) => hitAt(node, await create(node), 'l1'));
  await stop();
});

it('a second error of a TLS socket does not end the process, of the cache or of the queue', async () => {
  const { url, stop } = await startTlsRedis('--tls-auth-clients', 'no');
  const connect = jest.spyOn(tls, 'connect');
  await withNode({ redis: url, env: { REDIS_TLS_CA: certificate('ca.pem') } }, async (node) => {
    await hitAt(node, await create(node), 'l1');
    const sockets = connect.mock.results
      .map(({ value }) => value as tls.TLSSocket)
      .filter(({ destroyed }) => !destroyed);
    // Two of the cache, two of the queue.
    expect(sockets).toHaveLength(4);
    for (const socket of sockets) {
      socket.emit('error', new Error('the connection was reset'));
      socket.destroy();
      socket.emit('error', new Error('the alert that came before'));
    }
    await hitAt(node, await create(node), 'l1');
  });
  connect.mockRestore();
  await stop();
});
