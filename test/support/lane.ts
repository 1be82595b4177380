import { connect } from 'node:net';
import { type Response, type Test } from 'supertest';
import { LaneTally } from '../../src/cache/api/lane/lane-tally.js';
import { type TestApp } from './start-app.js';
import { until } from './until.js';

/** A service's fast lane, seen from outside: which answers are its own. */
export class LaneWatch {
  readonly #tally: LaneTally;

  constructor(private readonly node: TestApp) {
    this.#tally = node.app.get(LaneTally);
  }

  get answers(): number {
    return this.#tally.total;
  }

  /** Sends a request. @returns the answer, and whether the lane gave it */
  async ask(test: Test): Promise<{ readonly answer: Response; readonly byLane: boolean }> {
    const before = this.answers;
    const answer = await test;
    return { answer, byLane: this.answers > before };
  }

  /** Asks until the lane answers. */
  async warm(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    let last: Response | undefined;
    await until(async () => {
      const { answer, byLane } = await this.ask(this.get(path, headers));
      last = answer;
      return byLane;
    });
    return last!;
  }

  /** As plain as a request can be: supertest alone would send `Accept-Encoding`. */
  get(path: string, headers: Readonly<Record<string, string>> = {}): Test {
    return this.node.http.get(path).set({ 'Accept-Encoding': 'identity', ...headers });
  }
}

/** Sends bytes as they are, in these pieces, and returns everything that comes back until the connection ends. */
export async function exchange(url: string, pieces: readonly string[]): Promise<string> {
  const { port, hostname } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, noDelay: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()).on('error', () => resolve()));
  for (const piece of pieces) {
    await new Promise((resolve) => socket.write(piece, 'latin1', resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
  await ended;
  return Buffer.concat(chunks).toString('latin1');
}
