import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../../scripts/services/folders.mjs';
import { type ProcessIdentity, isRunning } from '../../../scripts/services/process.mjs';
import { recordsIn } from '../../../scripts/services/records.mjs';
import { testEnvironment, uniqueName } from './environment.mjs';

/**
 * An application that says what it was given, and on a signal asks both services a last time: Redis with PING, PostgreSQL
 * with its SSLRequest, which it answers with N. (No client libraries: it starts many times.)
 */
const APP = `
import { connect } from 'node:net';
const { DATABASE_URL, REDIS_URL, NODE_ENV, ADMIN_TOKEN, EXIT_WITH } = process.env;
console.log(JSON.stringify({ DATABASE_URL, REDIS_URL, NODE_ENV, ADMIN_TOKEN, pid: process.pid, flags: process.execArgv }));
if (EXIT_WITH) process.exit(Number(EXIT_WITH));
const ask = (url, request) => new Promise((resolve) => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(request));
  socket.once('data', (answer) => resolve(String(answer).trim())).once('error', (error) => resolve(error.message));
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
    console.log('last answers', await ask(DATABASE_URL, sslRequest), await ask(REDIS_URL, 'PING\\r\\n'), signal);
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
  readonly given: () => Record<string, string> & { pid: number; flags: string[] };
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
    endWithUs(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
    const exitCode = new Promise<number | null>((resolve) => child.once('close', resolve));
    const ready = new Promise<void>((resolve, reject) => {
      child.stdout.on('data', () => output.includes('ready url=') && resolve());
      void exitCode.then(() => reject(new Error(`ended before it was ready:\n${output}`)));
    });
    ready.catch(() => undefined);
    const given = () =>
      JSON.parse(/^\{.*\}$/m.exec(output)?.[0] ?? '{}') as Record<string, string> & { pid: number; flags: string[] };
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

/** It has a process group of its own, so that Ctrl-C on the tests does not reach it: a pipe from us tells of our end. */
function endWithUs(child: ChildProcess): void {
  const script = ['-c', 'read -r line; kill -TERM $1', 'sh', String(child.pid)];
  const watch = spawn('/bin/sh', script, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  child.once('exit', () => watch.kill('SIGKILL'));
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
