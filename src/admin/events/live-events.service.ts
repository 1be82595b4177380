import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type Response } from 'express';
import { CacheEvents } from '../../cache/index.js';
import { Lifecycle } from '../../http/index.js';
import { NodeName } from '../nodes/node-name.js';
import { OtherNodes } from '../nodes/other-nodes.service.js';
import { EventStreams } from './event-streams.js';

const options = { capacity: 1_000, gatherMs: 50, heartbeatMs: 15_000, maxClients: 100 };

/**
 * Everything that the cache of this node says about itself, and what the other nodes tell of their invalidations, to
 * whoever listens. Without a listener it costs nothing.
 */
@Injectable()
export class LiveEvents implements OnApplicationShutdown {
  readonly #streams: EventStreams;

  constructor(
    private readonly node: NodeName,
    events: CacheEvents,
    others: OtherNodes,
    lifecycle: Lifecycle,
  ) {
    this.#streams = new EventStreams(lifecycle, options, () => {
      const stops = [
        events.onAll((event) => this.#streams.push(event)),
        others.listen((heard) => this.#streams.push({ type: 'elsewhere', ...heard })),
      ];
      return () => stops.forEach((stop) => stop());
    });
  }

  /** @throws 503 when the service drains or too many listen */
  connect(res: Response): void {
    const greeting = { type: 'node', node: this.node.text };
    this.#streams.connect(res).push(greeting);
  }

  onApplicationShutdown(): void {
    this.#streams.end();
  }
}
