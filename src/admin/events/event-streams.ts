import { type Response } from 'express';
import { type Lifecycle, unavailable } from '../../http/index.js';
import { EventStream, type EventStreamOptions } from './event-stream.js';

export interface EventStreamsOptions extends EventStreamOptions {
  readonly maxClients: number;
}

/** All clients of one kind of stream. What feeds them works only while there is one. */
export class EventStreams {
  readonly #streams = new Set<EventStream>();
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
    if (this.#streams.size >= this.options.maxClients) throw unavailable('Too many clients listen already.');
    const stream = new EventStream(res, this.options);
    this.#streams.add(stream);
    this.#stop ??= this.start();
    res.once('close', () => this.#forget(stream));
    return stream;
  }

  push(event: { readonly type: string }): void {
    for (const stream of this.#streams) stream.push(event);
  }

  end(): void {
    for (const stream of this.#streams) stream.end();
  }

  #forget(stream: EventStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }
}
