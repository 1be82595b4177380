import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../../scripts/services/folders.mjs';
import { type ProcessIdentity, isRunning } from '../../../scripts/services/process.mjs';
import { recordsIn } from '../../../scripts/services/records.mjs';
import { testEnvironment, uniqueName } from './environment.mjs';

/** An application that says what it was given, and on a signal asks both services a last time. */
const APP = `
import { createRequire } from 'node:module';
const require = createRequire(${JSON.stringify(join(ROOT, 'package.json'))});
const { Client } = require('pg');
const Redis = require('ioredis');
const { DATABASE_URL, REDIS_URL, NODE_ENV, ADMIN_TOKEN, EXIT_WITH } = process.env;
console.log(JSON.stringify({ DATABASE_URL, REDIS_URL, NODE_ENV, ADMIN_TOKEN, pid: process.pid }));
if (EXIT_WITH) process.exit(Number(EXIT_WITH));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const client = new Client(DATABASE_URL);
    const redis = new Redis(REDIS_URL, { retryStrategy: null });
    const answers = await Promise.all([client.connect(), redis.ping()]).catch((error) => [error.message]);
    console.log('last answers', String(answers[1]), signal);
    process.exit(0);
  });
}
setInterval(() => undefined, 1000);
process.send?.({ type: 'ready', url: 'http://127.0.0.1:1' });
`;

export interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** What the application was given. */
  readonly given: () => Record<string, string> & { pid: number };
  readonly ready: Promise<void>;
  readonly exitCode: Promise<number | null>;
}

/** Runs scripts/start.mjs with an application of ours, in a folder of its own. */
export function starterIn(folder = join(testEnvironment().folder, uniqueName('start'))) {
  mkdirSync(folder, { recursive: true });
  const app = join(folder, 'app.mjs');
  writeFileSync(app, APP);
  const running: ChildProcess[] = [];

  const start = (env: NodeJS.ProcessEnv = {}, args: string[] = [], runner: string[] = []): Started => {
    const command = [...runner, join(ROOT, 'scripts', 'start.mjs'), '--app', app, '--data', folder, ...args];
    const bare = {
      ...process.env,
      NODE_ENV: '',
      DATABASE_URL: '',
      REDIS_URL: '',
      ADMIN_TOKEN: '',
      npm_lifecycle_event: '',
    };
    const child = spawn(process.execPath, command, { env: { ...bare, ...env }, detached: true });
    running.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
    const exitCode = new Promise<number | null>((resolve) => child.once('close', resolve));
    const ready = new Promise<void>((resolve, reject) => {
      child.stdout.on('data', () => output.includes('ready url=') && resolve());
      void exitCode.then(() => reject(new Error(`ended before it was ready:\n${output}`)));
    });
    ready.catch(() => undefined);
    const given = () => JSON.parse(/^\{.*\}$/m.exec(output)?.[0] ?? '{}') as Record<string, string> & { pid: number };
    return { child, output: () => output, given, ready, exitCode };
  };

  /** What is noted as running there, of that still running. */
  const left = (): (ProcessIdentity & { name: string })[] => {
    const notes = quietly(() => readdirSync(recordsIn(folder))) ?? [];
    const records = notes.map(
      (file) => JSON.parse(readFileSync(join(recordsIn(folder), file), 'utf8')) as ProcessIdentity & { name: string },
    );
    return records.filter(isRunning);
  };

  const stopAll = async (): Promise<void> => {
    await Promise.all(running.splice(0).map((child) => end(child)));
  };
  return { folder, start, left, stopAll };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
