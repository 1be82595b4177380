import { rmSync } from 'node:fs';
import { signalTo } from '../../../scripts/services/process.mjs';
import { freshRedis, testEnvironment } from './environment.mjs';

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

/** A Redis of its own, in about 40 ms, for tests that kill, pause or configure it. */
export async function startRedis({ args = [], port }: TestRedisOptions = {}): Promise<TestRedis> {
  const { files, start } = freshRedis(testEnvironment(), args);
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
      for (const path of Object.values(files)) rmSync(path, { recursive: true, force: true });
    },
  };
}
