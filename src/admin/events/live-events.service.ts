import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type Response } from 'express';
import { CacheEvents } from '../../cache/index.js';
import { Lifecycle, unavailable } from '../../http/index.js';
import { EventStream } from './event-stream.js';

const options = { capacity: 1_000, gatherMs: 50, heartbeatMs: 15_000 };
const maxClients = 100;

/** Everything that the cache of this node says about itself, to whoever listens. Without a listener it costs nothing. */
@Injectable()
export class LiveEvents implements OnApplicationShutdown {
  readonly #streams = new Set<EventStream>();
  #stopListening: (() => void) | undefined;

  constructor(
    private readonly events: CacheEvents,
    private readonly lifecycle: Lifecycle,
  ) {
    lifecycle.draining.addEventListener('abort', () => this.onApplicationShutdown());
  }

  /** Answers with the stream until the client leaves or the service drains. @throws 503 when it drains or too many listen */
  connect(res: Response): void {
    if (this.lifecycle.draining.aborted) throw unavailable('The service is shutting down.');
    if (this.#streams.size >= maxClients) throw unavailable('Too many clients listen already.');
    const stream = new EventStream(res, options);
    this.#streams.add(stream);
    this.#stopListening ??= this.events.onAll((event) => {
      for (const each of this.#streams) each.push(event);
    });
    res.once('close', () => this.#forget(stream));
  }

  onApplicationShutdown(): void {
    for (const stream of this.#streams) stream.end();
  }

  #forget(stream: EventStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    this.#stopListening?.();
    this.#stopListening = undefined;
  }
}
