import { type LoggerService } from '@nestjs/common';
import cluster, { type Worker } from 'node:cluster';
import { closeUntaken } from './handed-over.js';
import { type Upward } from './messages.js';
import { Rounds } from './rounds.js';
import { argumentsOf } from './worker.js';

/** How long a worker that has ended stays without a successor: one that cannot start is not to keep the machine busy. */
const successorAfterMs = 1_000;

/** A worker that is told while it is starting ends by the signal: it has nothing to finish. */
const endedAsTold: ReadonlySet<number | string> = new Set([0, 'SIGTERM', 'SIGINT']);

export interface PrimaryOptions {
  readonly workers: number;
  /** The longest that a worker takes to end, once told; whatever is left then is killed. */
  readonly endsWithinMs: number;
  readonly logger: LoggerService;
  /** All of them are ready, on one port. */
  readonly onReady: (url: string) => void;
}

/**
 * The process above the workers: it serves nothing itself, gives connections to them in turn, and replaces one that ends.
 * Told to end, it tells them, and ends after the last one.
 */
export class Primary {
  readonly #names: readonly string[];
  readonly #workers = new Map<string, Worker>();
  readonly #ready = new Set<string>();
  readonly #rounds = new Rounds(() => [...this.#workers.values()]);
  #isUp = false;
  #leaving = false;
  #code = 0;
  #end: (code: number) => void = () => undefined;

  constructor(private readonly options: PrimaryOptions) {
    this.#names = Array.from({ length: options.workers }, (_, at) => String(at + 1));
  }

  /** @returns the exit code: 0 when it was told to end, and every worker ended with 0 */
  run(): Promise<number> {
    process.on('SIGTERM', () => this.#told()).on('SIGINT', () => this.#told());
    process.once('disconnect', () => this.#leave()); // the parent is gone
    cluster.on('message', (worker, message: Upward) => this.#hear(worker, message));
    // One alone at first: if the service cannot start, that is said once.
    this.#start(this.#names[0]!);
    return new Promise((resolve) => (this.#end = resolve));
  }

  #start(name: string): void {
    cluster.setupPrimary({ args: argumentsOf(name) });
    const worker = cluster.fork();
    closeUntaken(worker);
    this.#workers.set(name, worker);
    this.options.logger.log(`worker ${name} is process ${worker.process.pid}`, 'Workers');
    worker.once('exit', (code: number | null, signal: string | null) => this.#ended(name, worker, code ?? signal ?? 1));
  }

  #hear(worker: Worker, message: Upward): void {
    if (message.type === 'ask') this.#rounds.begin(worker, message.id, message.topic);
    if (message.type === 'said') this.#rounds.said(worker, message.id, message.text);
    if (message.type === 'ready') this.#becameReady(worker, message.url);
  }

  #becameReady(worker: Worker, url: string): void {
    const name = this.#names.find((each) => this.#workers.get(each) === worker);
    if (this.#isUp || this.#leaving || name === undefined) return;
    this.#ready.add(name);
    if (this.#ready.size === 1) for (const other of this.#names.slice(1)) this.#start(other);
    if (this.#ready.size < this.#names.length) return;
    this.#isUp = true;
    this.options.onReady(url);
  }

  #ended(name: string, worker: Worker, how: number | string): void {
    this.#workers.delete(name);
    this.#rounds.gone(worker);
    if (this.#isUp && !this.#leaving) {
      this.options.logger.error(`worker ${name} has ended (${how}): another one takes its place`, 'Workers');
      setTimeout(() => this.#leaving || this.#start(name), successorAfterMs);
      return;
    }
    if (!endedAsTold.has(how)) this.#code = 1;
    this.#leave();
    if (this.#workers.size === 0) this.#end(this.#code);
  }

  /** By somebody who wants it at once when saying it twice. */
  #told(): void {
    if (this.#leaving) this.#kill();
    else this.#leave();
  }

  #leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    for (const { process: worker } of this.#workers.values()) worker.kill('SIGTERM');
    setTimeout(() => this.#kill(), this.options.endsWithinMs);
    if (this.#workers.size === 0) this.#end(this.#code);
  }

  #kill(): void {
    this.#code = 1;
    for (const { process: worker } of this.#workers.values()) worker.kill('SIGKILL');
  }
}
