import { type Response } from 'express';
import { type Lifecycle, networkOf, unavailable } from '../../http/index.js';
import { EventStream, type EventStreamOptions } from './event-stream.js';

export interface EventStreamsOptions extends EventStreamOptions {
  readonly maxClients: number;
}

/**
 * All clients of one kind of stream. What feeds them works only while there is one. Beyond their bound, the client with the
 * most streams loses its oldest one, so that nobody keeps the others out.
 */
export class EventStreams {
  /** By the network of their clients. */
  readonly #streams = new Map<EventStream, string>();
  #stop: (() => void) | undefined;

  /** @param start called when the first client comes; what it returns is called when the last one has left */
  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly options: EventStreamsOptions,
    private readonly start: () => () => void,
  ) {
    lifecycle.draining.addEventListener('abort', () => this.end());
  }

  /** Answers with a stream until the client leaves or the service drains. @throws 503 when it drains or too many listen */
  connect(res: Response): EventStream {
    if (this.lifecycle.draining.aborted) throw unavailable('The service is shutting down.');
    const network = networkOf(res.req.socket.remoteAddress);
    if (this.#streams.size >= this.options.maxClients) this.#makeRoomFor(network);
    const stream = new EventStream(res, this.options);
    this.#streams.set(stream, network);
    this.#stop ??= this.start();
    res.once('close', () => this.#forget(stream));
    return stream;
  }

  push(event: { readonly type: string }): void {
    for (const stream of this.#streams.keys()) stream.push(event);
  }

  end(): void {
    for (const stream of this.#streams.keys()) stream.end();
  }

  /** @throws 503 where nobody has more streams than this client */
  #makeRoomFor(network: string): void {
    const counts = new Map<string, number>();
    for (const each of this.#streams.values()) counts.set(each, (counts.get(each) ?? 0) + 1);
    const [largest, most] = [...counts].reduce((one, other) => (other[1] > one[1] ? other : one));
    if (most <= (counts.get(network) ?? 0) + 1) throw unavailable('Too many clients listen already.');
    const [oldest] = [...this.#streams].find(([, each]) => each === largest)!;
    oldest.end();
    this.#forget(oldest);
  }

  #forget(stream: EventStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }
}
