import { type Response } from 'express';

export interface EventStreamOptions {
  /** Events that wait to be sent; beyond it they are dropped, and counted. */
  readonly capacity: number;
  /** How long events are gathered before they are sent together, in ms. */
  readonly gatherMs: number;
  /** A line that says nothing, so that proxies keep the connection open, in ms. */
  readonly heartbeatMs: number;
}

/**
 * One client of a stream of server-sent events. What it cannot take in time is dropped rather than kept: it is told how
 * much, and costs neither memory nor anyone else's time.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export class EventStream {
  readonly #waiting: object[] = [];
  #dropped = 0;
  #congested = false;
  #gathering: NodeJS.Timeout | undefined;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(
    private readonly res: Response,
    private readonly options: EventStreamOptions,
  ) {
    res.status(200).set({ 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    res.flushHeaders();
    this.#write(': connected\n\n');
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs).unref();
    res.on('drain', () => {
      this.#congested = false;
      this.#send();
    });
    res.once('close', () => this.#stop());
  }

  /** An event of the type that its `type` says. */
  push(event: { readonly type: string }): void {
    if (this.#waiting.length >= this.options.capacity) this.#dropped += 1;
    else this.#waiting.push(event);
    this.#gathering ??= setTimeout(() => this.#send(), this.options.gatherMs).unref();
  }

  /** Ends the answer in good order; browsers then connect again. */
  end(): void {
    this.#send();
    this.#stop();
    this.res.end();
  }

  #send(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (this.#congested || (this.#waiting.length === 0 && this.#dropped === 0)) return;
    const events = this.#waiting.splice(0);
    const lines = events.map((event) => `data: ${JSON.stringify(event)}\n\n`);
    if (this.#dropped > 0) lines.push(`event: dropped\ndata: ${JSON.stringify({ count: this.#dropped })}\n\n`);
    this.#dropped = 0;
    this.#write(lines.join(''));
  }

  /** Not while the client takes nothing: heartbeats would be the one thing that piles up. */
  #beat(): void {
    if (!this.#congested) this.#write(': heartbeat\n\n');
  }

  #write(text: string): void {
    if (this.res.writableEnded) return;
    if (!this.res.write(text)) this.#congested = true;
  }

  #stop(): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#gathering);
  }
}
