import { Logger } from '@nestjs/common';
import { join } from 'node:path';
import tls from 'node:tls';
import { DataSource } from 'typeorm';
import { ROOT } from '../../scripts/services/folders.mjs';
import { freePort } from '../../scripts/services/ports.mjs';
import { hammer } from '../support/administered-nodes.js';
import { maskIdentity } from '../support/mask-identity.js';
import { withNode as withNodeOf } from '../support/redis-setups.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { command, create, hitAt } from '../support/site.js';
import { createMigratedDatabase, type StartAppOptions, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

const certificate = (name: string) => join(ROOT, 'test', 'support', 'certificates', name);
/** Nodes share it one after the other; nobody uses another Redis of it for longer than a moment. */
let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let redis: TestRedis;
let warnings: jest.SpyInstance<void, Parameters<Logger['warn']>>;
beforeAll(async () => {
  [database, redis] = await Promise.all([createMigratedDatabase(), startRedis()]);
});
afterAll(async () => {
  await database.drop();
  await redis.stop();
});
beforeEach(() => (warnings = jest.spyOn(Logger.prototype, 'warn')));
afterEach(() => warnings.mockRestore());

const withNode = (options: StartAppOptions, work: (node: TestApp) => Promise<void>): Promise<void> =>
  withNodeOf({ database: database.url, ...options }, work);

/** It serves from the database, `/health` gives the reason as long as it lasts, and the log has had it once. */
async function isRefused(node: TestApp, reason: RegExp): Promise<void> {
  const { body } = await node.http.post('/items').send(hammer).expect(201);
  await node.http.get(`/items/${body.id}`).expect(200);
  for (let looks = 0; looks < 5; looks += 1) {
    await until(async () => {
      const { body: health } = await node.http.get('/health').expect(200);
      return health.status === 'degraded' && reason.test(String(health.details.redis.reason));
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(warnings.mock.calls.filter(([text]) => reason.test(String(text)))).toHaveLength(1);
}

/** Redis with TLS alone. */
async function startTlsRedis(...more: string[]) {
  const port = await freePort();
  const files = ['--tls-cert-file', certificate('server.pem'), '--tls-key-file', certificate('server.key')];
  const server = await startRedis({
    args: ['--tls-port', String(port), '--tls-ca-cert-file', certificate('ca.pem'), ...files, ...more],
  });
  return { url: `rediss://127.0.0.1:${port}`, plainUrl: `redis://127.0.0.1:${port}`, stop: () => server.stop() };
}

describe('a Redis that the cache cannot be kept in is named once, with the remedy:', () => {
  it('a node of Redis Cluster', async () => {
    const cluster = await startRedis({
      args: ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())],
    });
    await withNode({ redis: cluster.url, redisIsAway: true }, (node) => isRefused(node, /Redis Cluster/));
    await cluster.stop();
  });

  it('a replica', async () => {
    const replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${redis.port}`] });
    await withNode({ redis: replica.url, redisIsAway: true }, (node) => isRefused(node, /it must lead to the primary/));
    await replica.stop();
  });

  it('one that is too old', async () => {
    const old = await maskIdentity(redis.port, (text) => text.replace(/(\nredis_version:)\d/, '$16'));
    await withNode({ redis: old.url, redisIsAway: true }, (node) => isRefused(node, /too old: version 7\.0/));
    old.close();
  });

  it.each(['time', 'evalsha'])('one whose command %s has been renamed', async (name) => {
    const renamed = await startRedis({ args: ['--rename-command', name, ''] });
    const names = { redis: renamed.url, redisIsAway: true };
    await withNode(names, (node) => isRefused(node, new RegExp(`commands it must have \\(${name}\\)`)));
    await renamed.stop();
  });

  it('one that expects TLS', async () => {
    const { plainUrl, stop } = await startTlsRedis();
    await withNode({ redis: plainUrl, redisIsAway: true }, (node) => isRefused(node, /use rediss:/));
    await stop();
  });

  it('one that speaks no TLS', async () => {
    const url = redis.url.replace('redis:', 'rediss:');
    await withNode({ redis: url, redisIsAway: true }, (node) => isRefused(node, /use redis:\/\//));
  });

  it('one that wants a password, one whose password is another, and one that is not there', async () => {
    await command(redis, 'ACL', 'SETUSER', 'guarded', 'on', '>right', '~*', '&*', '+@all');
    const withUser = (user: string) => redis.url.replace('redis://', `redis://${user}@`);
    await withNode({ redis: withUser('guarded:wrong'), redisIsAway: true }, (node) =>
      isRefused(node, /user or the password/),
    );
    await withNode({ redis: 'redis://127.0.0.1:1', redisIsAway: true }, (node) => isRefused(node, /ECONNREFUSED/));
  });

  it('one that PostgreSQL does not name a generation for, because it does not say which database it is', async () => {
    const admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    const url = new URL(database.url);
    url.username = `least_${process.pid}`;
    url.password = 'least';
    await admin.query(`CREATE ROLE ${url.username} LOGIN PASSWORD 'least'`);
    await admin.query(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${url.username}`);
    await admin.query(`GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${url.username}`);
    await admin.query('REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC');
    try {
      const least = { redis: redis.url, redisIsAway: true, database: url.href };
      await withNode(least, (node) => isRefused(node, /GRANT EXECUTE ON FUNCTION pg_control_system/));
    } finally {
      await admin.query('GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC');
      await admin.query(`DROP OWNED BY ${url.username}`);
      await admin.query(`DROP ROLE ${url.username}`);
      await admin.destroy();
    }
  });
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

it('a TLS socket to Redis that fails twice does not end the process, whoever opened it', async () => {
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
