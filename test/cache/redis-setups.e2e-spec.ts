import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { freePort } from '../../scripts/services/ports.mjs';
import { maskIdentity } from '../support/mask-identity.js';
import { isRefused as isRefusedOf, withNode as withNodeOf } from '../support/redis-setups.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { command } from '../support/site.js';
import { createMigratedDatabase, type StartAppOptions, type TestApp } from '../support/start-app.js';

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

const isRefused = (node: TestApp, reason: RegExp): Promise<void> => isRefusedOf(warnings, node, reason);

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
