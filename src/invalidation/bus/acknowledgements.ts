import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { type Acknowledgement, Clock, type Fenced, RedisTags } from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { leaseWaitMs } from './lease-wait.js';

interface AwaitedNodes {
  readonly heard: Set<string>;
  notify: () => void;
}

/**
 * A strict writer waits, before its COMMIT, until no node can serve what it changes from L1: each registered node has
 * acknowledged, or its lease has run out on the *writer's* clock since the fence was answered.
 * @see Gray & Cheriton, "Leases", SOSP 1989
 */
@Injectable()
export class Acknowledgements implements OnApplicationShutdown {
  /** This process, among the nodes. */
  readonly node = randomUUID();
  readonly #waiting = new Map<string, AwaitedNodes>();
  #next = 0;

  constructor(
    private readonly settings: Settings,
    private readonly tags: RedisTags,
    private readonly clock: Clock,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    if (this.settings.cacheL1Strict === 'acknowledged') await this.tags.unregister(this.node).catch(() => undefined);
  }

  /** To be taken before the fence is sent: an acknowledgement can be here before the fence's own answer. {@link forget} it. */
  expect(): Acknowledgement {
    const id = String((this.#next += 1));
    this.#waiting.set(id, { heard: new Set(), notify: () => undefined });
    return { to: this.node, id };
  }

  /** A node has dropped what the fence names. */
  hear(id: string, node: string): void {
    const waiting = this.#waiting.get(id);
    waiting?.heard.add(node);
    waiting?.notify();
  }

  /**
   * Resolves when the writer may commit. A node that stayed silent is not asked again.
   * @param longestLeaseMs the longest lease that a node may hold
   */
  async settle({ id }: Acknowledgement, { nodes, generationAgeMs }: Fenced, longestLeaseMs: number): Promise<void> {
    const waiting = this.#waiting.get(id);
    const longestMs = leaseWaitMs(longestLeaseMs);
    // A generation that is younger than a lease does not know yet who may hold something.
    if (this.settings.cacheL1Strict === 'acknowledged' && generationAgeMs < longestMs)
      return await this.clock.sleep(longestMs);
    const missing = (): [string, string][] =>
      [...nodes].filter(([node]) => node !== this.node && !waiting?.heard.has(node));
    if (!waiting || missing().length === 0) return;
    const all = new Promise<void>((resolve) => {
      waiting.notify = () => missing().length === 0 && resolve();
    });
    await Promise.race([all, this.clock.sleep(longestMs)]);
    await Promise.all(missing().map(([node, count]) => this.tags.forget(node, count).catch(() => undefined)));
  }

  /** Nobody waits any more. */
  forget({ id }: Acknowledgement): void {
    this.#waiting.delete(id);
  }
}
