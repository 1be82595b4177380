import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CacheEvents, Clock, namespaceOf, RedisConnection } from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { NodeName } from './node-name.js';
import { type Notice, noticeOf, type NoticeMessage, noticesChannel } from './notice.js';

/** Notices are gathered for so long, in ms: there are at most ten messages a second. */
const gatherMs = 100;
/** Of one message; what comes beyond it is only counted. */
const mostNotices = 50;
/** Redis says how many have heard a message. If nobody has, nothing is said for so long, in ms. */
const quietMs = 1_000;

/**
 * Tells the nodes that are being looked at what happens on this one. Best effort, bounded, and never waited for: nothing
 * but a page depends on it. While nobody looks anywhere it is at most one short command a second, and only while something
 * is invalidated.
 */
@Injectable()
export class Notices implements OnModuleInit, OnApplicationShutdown {
  #waiting: Notice[] = [];
  #missed = 0;
  #quietUntilMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #stopListening: (() => void) | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly connection: RedisConnection,
    private readonly clock: Clock,
    private readonly node: NodeName,
    private readonly events: CacheEvents,
  ) {}

  onModuleInit(): void {
    if (!this.settings.redisUrl) return;
    this.#stopListening = this.events.onAll((event) => {
      const notice = noticeOf(event);
      if (notice) this.#add(notice);
    });
  }

  onApplicationShutdown(): void {
    this.#stopListening?.();
    clearTimeout(this.#timer);
  }

  #add(notice: Notice): void {
    if (this.clock.monotonicMs() < this.#quietUntilMs) return;
    if (this.#waiting.length >= mostNotices) this.#missed += 1;
    else this.#waiting.push(notice);
    this.#timer ??= setTimeout(() => void this.#tell(), gatherMs).unref();
  }

  async #tell(): Promise<void> {
    const { id, text: node } = this.node;
    const message: NoticeMessage = { id, node, notices: this.#waiting, missed: this.#missed };
    this.#forget();
    if ((await this.#publish(JSON.stringify(message))) > 0) return;
    this.#quietUntilMs = this.clock.monotonicMs() + quietMs;
    this.#forget();
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
    this.#missed = 0;
  }

  /** How many have heard it; whatever went wrong, nobody waits for it. */
  async #publish(text: string): Promise<number> {
    try {
      const { gen } = this.connection;
      const channel = noticesChannel(namespaceOf(gen));
      return await this.connection.command(gen, (client) => client.publish(channel, text));
    } catch {
      return 0;
    }
  }
}
