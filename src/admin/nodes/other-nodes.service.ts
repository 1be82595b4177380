import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRedisClient, Namespace, type RedisClient } from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { NodeName } from './node-name.js';
import { noticeMessageIn, type NoticeMessage, noticesChannel } from './notice.js';

const retryMs = 500;

type Listener = (heard: Omit<NoticeMessage, 'id'>) => void;

/**
 * Hears what the other nodes tell, on a connection of its own that is open only while somebody listens: nothing that is
 * shown to people shares the connection which the lease is kept on.
 */
@Injectable()
export class OtherNodes implements OnApplicationShutdown {
  readonly #stops = new Set<() => void>();

  constructor(
    private readonly settings: Settings,
    private readonly node: NodeName,
    private readonly namespace: Namespace,
  ) {}

  /** Returns the function that stops listening. Without Redis there is nothing to hear. */
  listen(listener: Listener): () => void {
    const stopped = new AbortController();
    const stop = (): void => {
      stopped.abort();
      this.#stops.delete(stop);
    };
    this.#stops.add(stop);
    if (this.settings.redisUrl) void this.#keepOpen(this.settings.redisUrl, listener, stopped.signal);
    return stop;
  }

  onApplicationShutdown(): void {
    for (const stop of this.#stops) stop();
  }

  async #keepOpen(url: string, listener: Listener, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const client = createRedisClient(url, this.settings.redisTimeoutMs, this.settings);
      // The next attempt says whether it is over; until then there is nobody to tell.
      await this.#listenOn(client, listener, signal).catch(() => undefined);
      client.disconnect().catch(() => undefined);
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Until the connection ends, or is not wanted any more. */
  async #listenOn(client: RedisClient, listener: Listener, signal: AbortSignal): Promise<void> {
    let end: () => void = () => undefined;
    const over = new Promise<void>((resolve) => (end = resolve));
    client.on('error', end).on('end', end);
    signal.addEventListener('abort', end);
    try {
      await client.connect();
      await client.subscribe(noticesChannel(await this.namespace.find()), (text) => {
        const message = noticeMessageIn(text);
        if (!message) return;
        const { id, ...heard } = message;
        if (id !== this.node.id) listener(heard);
      });
      await over;
    } finally {
      signal.removeEventListener('abort', end);
    }
  }
}
