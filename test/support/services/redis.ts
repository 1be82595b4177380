import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { signalTo } from '../../../scripts/services/process.mjs';
import { recordsIn } from '../../../scripts/services/records.mjs';
import * as server from '../../../scripts/services/redis.mjs';
import { testEnvironment, uniqueName } from './environment.mjs';

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** Another one after each restart. */
  readonly pid: number;
  /** Stops it from answering; connections stay up (SIGSTOP). */
  readonly pause: () => void;
  readonly resume: () => void;
  /** As a crash does (SIGKILL). */
  readonly kill: () => Promise<void>;
  /** On the same port; empty unless the arguments ask for persistence. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface TestRedisOptions {
  /** Further arguments, such as `['--appendonly', 'yes']`. */
  args?: string[];
  port?: number;
}

/** A Redis of its own, in about 40 ms, for whoever calls. */
export async function startRedis({ args = [], port }: TestRedisOptions = {}): Promise<TestRedis> {
  const { folder: parent, redis: binary } = testEnvironment();
  const folder = join(parent, uniqueName('redis'));
  const start = (at?: number): Promise<server.Redis> =>
    server.startRedis({
      binary,
      folder,
      log: `${folder}.log`,
      records: recordsIn(parent),
      args: ['--save', '', '--appendonly', 'no', ...args],
      onEnd: 'SIGKILL',
      port: at,
    });
  let redis = await start(port);
  const kill = (): Promise<void> => redis.process.stop(['SIGKILL'], 5000);

  return {
    url: redis.url,
    port: redis.port,
    get pid() {
      return redis.process.identity.pid;
    },
    pause: () => void signalTo(redis.process.identity, 'SIGSTOP'),
    resume: () => void signalTo(redis.process.identity, 'SIGCONT'),
    kill,
    async restart() {
      await redis.process.stop(['SIGTERM'], 5000);
      redis = await start(redis.port);
    },
    async stop() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
      rmSync(`${folder}.log`, { force: true });
    },
  };
}
