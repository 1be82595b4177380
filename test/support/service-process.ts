import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../scripts/services/folders.mjs';
import { buildIfNeeded } from '../../scripts/start/build.mjs';
import { patience } from './patience.js';
import { until } from './until.js';

/** Limits for what hangs. */
export const buildLimitMs = 900_000;
const readyLimitMs = 240_000;

function fail(text: string): never {
  throw new Error(`the service has not become ready:\n${text.slice(-2_000)}`);
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** The built service as a process of its own, as `start:prod` runs it. */
export class ServiceProcess {
  readonly #folder = mkdtempSync(join(tmpdir(), 'process-'));
  readonly #child: ChildProcess;
  /** The file with all that it prints. */
  readonly log = join(this.#folder, 'log');

  static async build(): Promise<void> {
    await buildIfNeeded(ROOT, { say: () => undefined, signal: AbortSignal.timeout(buildLimitMs) });
  }

  /** @param env what it has besides the least that it needs: `DATABASE_URL`, say */
  constructor(env: NodeJS.ProcessEnv) {
    const output = openSync(this.log, 'w');
    const { PATH, HOME } = process.env;
    const least = { PATH, HOME, NODE_ENV: 'production', PORT: '0', CACHE_FEED: 'off', WARM_SCHEDULE: 'off' };
    this.#child = spawn(process.execPath, [join(ROOT, 'dist', 'src', 'main.js')], {
      env: { ...least, ...patience, DRAIN_TIMEOUT_MS: '120000', ...env },
      stdio: ['ignore', output, output],
    });
    closeSync(output);
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  text(): string {
    return readFileSync(this.log, 'utf8');
  }

  /** Of all workers that there were. */
  workerPids(): number[] {
    return [...this.text().matchAll(/worker \d+ is process (\d+)/g)].map(([, pid]) => Number(pid));
  }

  /** Those of them that still run. */
  workersLeft(): number[] {
    return this.workerPids().filter(isAlive);
  }

  lines(level: 'error' | 'fatal'): { readonly msg: string; readonly err?: { readonly stack: string } }[] {
    const lines = this.text().split('\n');
    return lines
      .filter((line) => line.includes(`"level":"${level}"`))
      .map((line) => JSON.parse(line) as { msg: string });
  }

  /** @returns its URL */
  async ready(): Promise<string> {
    await until(() => this.text().includes('ready url=') || this.exitCode !== null, readyLimitMs);
    return /^ready url=(\S+)$/m.exec(this.text())?.[1] ?? fail(this.text());
  }

  signal(signal: NodeJS.Signals): unknown {
    return this.#child.kill(signal);
  }

  /** The exit code. */
  async ended(): Promise<unknown> {
    return this.#child.exitCode ?? ((await once(this.#child, 'exit')) as unknown[])[0];
  }

  /** With all that it has printed. Its workers, where it has any, end with it. */
  kill(): void {
    this.#child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /**
   * Until no new connection is accepted. Nothing is asked on those that are: where several workers close their servers, Node
   * may leave one unanswered until the process above them ends (https://github.com/nodejs/node/issues/21746).
   */
  static refused(url: string): Promise<void> {
    const { hostname, port } = new URL(url);
    return until(async () => {
      const socket = connect({ host: hostname, port: Number(port) });
      const isRefused = await once(socket, 'connect').then(
        () => false,
        (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
      );
      socket.on('error', () => undefined).destroy();
      return isRefused;
    });
  }

  /** A request whose body is not complete: it is running until `finish` is called. */
  static async begin(url: string) {
    const body = JSON.stringify({ name: 'late', category: 'late', price: 1, quantity: 1 });
    const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length, Expect: '100-continue' };
    const outgoing = request(`${url}/items`, { method: 'POST', headers });
    const answer = once(outgoing, 'response').then(
      ([res]) => (res as { statusCode: number }).statusCode,
      () => 'cut off',
    );
    await new Promise((resolve) => outgoing.once('continue', resolve).flushHeaders());
    return { answer, finish: () => outgoing.end(body) };
  }
}
