import { type Worker } from 'node:cluster';
import { type Downward } from './messages.js';

/** How long workers have to say what they are asked. */
const deadlineMs = 1_000;

interface Open {
  readonly awaited: Set<Worker>;
  readonly texts: string[];
  readonly end: () => void;
}

/** Asks all workers in one worker's name, and hands it what has come in time. */
export class Rounds {
  readonly #open = new Map<number, Open>();
  #count = 0;

  constructor(private readonly workers: () => readonly Worker[]) {}

  begin(asker: Worker, askedAs: number, topic: string): void {
    const id = (this.#count += 1);
    const awaited = new Set(this.workers());
    const texts: string[] = [];
    const end = (): void => {
      clearTimeout(timer);
      if (this.#open.delete(id)) send(asker, { type: 'answers', id: askedAs, texts });
    };
    // What came in while this process was busy is read before.
    const timer = setTimeout(() => setImmediate(end), deadlineMs);
    this.#open.set(id, { awaited, texts, end });
    for (const worker of awaited) send(worker, { type: 'say', id, topic });
  }

  said(worker: Worker, id: number, text: string): void {
    const open = this.#open.get(id);
    if (!open?.awaited.has(worker)) return;
    open.texts.push(text);
    this.#without(open, worker);
  }

  gone(worker: Worker): void {
    for (const open of this.#open.values()) this.#without(open, worker);
  }

  #without(open: Open, worker: Worker): void {
    open.awaited.delete(worker);
    if (open.awaited.size === 0) open.end();
  }
}

/** A worker that is about to end may not be there any more: whoever waits for it hears of that, too. */
const send = (worker: Worker, message: Downward): unknown =>
  worker.isConnected() && worker.send(message, () => undefined);
