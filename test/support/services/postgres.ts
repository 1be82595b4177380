import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  createDatabase,
  dropDatabase,
  hasDatabase,
  renameDatabase,
} from '../../../scripts/services/postgres-databases.mjs';
import { childrenOf } from '../../../scripts/services/process.mjs';
import { freshPostgres, testEnvironment, uniqueName } from './environment.mjs';
import { workerServices } from './worker.js';

export interface TestDatabase {
  readonly url: string;
  /** Also when somebody is still connected or reads a replication slot. */
  readonly drop: () => Promise<void>;
}

export interface TestPostgres {
  readonly port: number;
  /** Another one after each restart. */
  readonly pid: number;
  /** Of the superuser, to the database `postgres`. */
  readonly url: string;
  readonly createDatabase: () => Promise<TestDatabase>;
  /** Stops it and all its sessions from answering; connections stay up (SIGSTOP). */
  readonly pause: () => void;
  readonly resume: () => void;
  /** As a power cut does: the server and all its sessions at once (SIGKILL). */
  readonly kill: () => Promise<void>;
  /** On the same port with the same data; what was committed is there. */
  readonly restart: () => Promise<void>;
  /** Stops it as an administrator does, lets the work have its data folder, and starts it again. */
  readonly whileStopped: (work: (data: string) => void) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** An empty database in the PostgreSQL of this Jest worker. */
export const createTestDatabase = async (): Promise<TestDatabase> => databaseOf(await workerServices().postgresUrl());

/** A copy of a database that `fill` has filled; it does so once per Jest worker. */
export async function createFilledDatabase(fill: (url: string) => Promise<void>): Promise<TestDatabase> {
  const adminUrl = await workerServices().postgresUrl();
  const template = 'filled';
  if (!(await hasDatabase(adminUrl, template))) {
    const draft = await databaseOf(adminUrl);
    await fill(draft.url);
    await renameDatabase(adminUrl, new URL(draft.url).pathname.slice(1), template);
  }
  return databaseOf(adminUrl, template);
}

/** A PostgreSQL of its own, in about a second, for tests that pause or kill it, or want it set up otherwise. */
export async function startPostgres(settings: readonly string[] = []): Promise<TestPostgres> {
  const { files, start } = await freshPostgres(testEnvironment(), settings);
  let postgres = await start();
  let sessions: number[] = [];
  const signal = (pids: number[], what: NodeJS.Signals): void =>
    pids.forEach((pid) => quietly(() => process.kill(pid, what)));
  const serverPid = (): number => postgres.process.identity.pid;
  const url = postgres.url('postgres');

  const control: TestPostgres = {
    port: postgres.port,
    url,
    get pid() {
      return serverPid();
    },
    createDatabase: () => databaseOf(url),
    pause() {
      // The server first: then it starts no more sessions.
      signal([serverPid()], 'SIGSTOP');
      sessions = childrenOf(serverPid());
      postgres.process.frozen(sessions);
      signal(sessions, 'SIGSTOP');
    },
    resume() {
      signal([...sessions, serverPid()], 'SIGCONT');
      sessions = [];
      postgres.process.frozen(sessions);
    },
    async kill() {
      control.pause();
      signal(sessions, 'SIGKILL');
      await postgres.process.stop(['SIGKILL'], 5000);
    },
    restart: () => control.whileStopped(() => undefined),
    async whileStopped(work) {
      control.resume();
      await postgres.process.stop(['SIGINT', 'SIGQUIT'], 5000);
      work(files.data);
      postgres = await start(postgres.port);
    },
    async stop() {
      control.resume();
      await postgres.stop();
      removeSharedMemory(files.data);
      for (const path of Object.values(files)) rmSync(path, { recursive: true, force: true });
    },
  };
  return control;
}

async function databaseOf(adminUrl: string, template?: string): Promise<TestDatabase> {
  const name = uniqueName('test');
  await createDatabase(adminUrl, name, template);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => dropDatabase(adminUrl, name) };
}

/** A killed server leaves a small System V segment, whose id is in the 7th line of its pid file. */
function removeSharedMemory(data: string): void {
  quietly(() => {
    const id = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[6]?.trim().split(/\s+/)[1];
    if (id) spawnSync('ipcrm', ['-m', id], { stdio: 'ignore' });
  });
}

function quietly(work: () => unknown): void {
  try {
    work();
  } catch {
    // It has ended already, which is what we want or notice elsewhere.
  }
}
