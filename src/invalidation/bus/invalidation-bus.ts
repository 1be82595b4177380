import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Acknowledgement,
  CacheEvents,
  Clock,
  createRedisClient,
  generationChannel,
  invalidationChannel,
  type InvalidationMessage,
  Lease,
  MemoryLevel,
  nodeChannel,
  RedisConnection,
  type RedisClient,
} from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { Acknowledgements } from './acknowledgements.js';
import { endOf, within } from './connection-life.js';
import { Heartbeat } from './heartbeat.js';

const policiesChannel = 'strata:policies';
const connectTimeoutMs = 1_000;
const retryDelaysMs = [20, 50, 100, 200, 400, 800] as const;

/**
 * Hears every invalidation, and keeps the lease: a heartbeat every quarter of it, answered on the connection that also
 * carries the invalidations, hence after all earlier ones. Each connection is one term of the lease; when it ends, for
 * whatever reason, everything that was learned in it is void.
 */
@Injectable()
export class InvalidationBus implements OnModuleInit, OnApplicationShutdown {
  readonly #logger = new Logger('Invalidation');
  #client: RedisClient | undefined;
  #stopped = false;
  readonly #policyListeners: ((text: string) => void)[] = [];
  readonly #termListeners: (() => Promise<void>)[] = [];

  constructor(
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly l1: MemoryLevel,
    private readonly lease: Lease,
    private readonly connection: RedisConnection,
    private readonly heartbeat: Heartbeat,
    private readonly acknowledgements: Acknowledgements,
    private readonly events: CacheEvents,
  ) {}

  /** The first attempt is waited for, so that a healthy service is ready with its L1; a failed one is not. */
  async onModuleInit(): Promise<void> {
    if (!this.settings.redisUrl) return;
    await new Promise<void>((attempted) => void this.#run(attempted));
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    await this.#client?.disconnect().catch(() => undefined);
  }

  /** Called with what a node says of the policies, in order with the invalidations. */
  onPolicies(listener: (text: string) => void): void {
    this.#policyListeners.push(listener);
  }

  /** Awaited before anything is served in a new term: what was said while nobody heard must be asked for. */
  onTerm(listener: () => Promise<void>): void {
    this.#termListeners.push(listener);
  }

  /** Tells every node, this one included. @throws {LevelUnavailableError} */
  async announcePolicies(text: string): Promise<void> {
    await this.#publish(policiesChannel, text);
  }

  async #run(attempted: () => void): Promise<void> {
    for (let failures = 0; !this.#stopped; failures += 1) {
      const client = createRedisClient(this.settings.redisUrl!, this.settings.redisTimeoutMs);
      this.#client = client;
      const ended = endOf(client);
      try {
        await within(connectTimeoutMs, this.#subscribe(client), ended);
        failures = 0;
        await this.#keepTerm(ended, attempted);
      } catch (error) {
        if (!this.#stopped) this.#logger.debug(`no invalidations are heard: ${(error as Error).message}`);
      }
      attempted();
      client.disconnect().catch(() => undefined);
      if (!this.#stopped) await sleep(retryDelaysMs[Math.min(failures, retryDelaysMs.length - 1)]);
    }
  }

  async #subscribe(client: RedisClient): Promise<void> {
    await client.connect();
    const own = nodeChannel(this.acknowledgements.node);
    await client.subscribe([invalidationChannel, generationChannel, policiesChannel, own], (text, channel) => {
      if (channel === invalidationChannel) this.#hear(text);
      else if (channel === generationChannel) this.#changeGeneration(text);
      else if (channel === own) this.#hearAnswer(text);
      else for (const listener of this.#policyListeners) listener(text);
    });
  }

  /** From a confirmed SUBSCRIBE to the end of the connection. */
  async #keepTerm(ended: Promise<never>, begun: () => void): Promise<void> {
    const { cacheL1LeaseMs: leaseMs } = this.settings;
    const term = this.lease.begin();
    this.events.emit({ type: 'connection', path: 'invalidation', open: true });
    try {
      for (let informed = false; ;) {
        informed ||= await this.#informed();
        const sentAt = this.clock.now();
        const answered = await within(leaseMs, this.heartbeat.ask(), ended);
        if (answered && informed && this.#certain) this.lease.extend(term, sentAt);
        begun();
        await Promise.race([sleep(leaseMs / 4), ended]);
      }
    } finally {
      this.lease.end(term);
      this.events.emit({ type: 'connection', path: 'invalidation', open: false });
    }
  }

  /** Where L1 is used under `strict`, its lease is no better than PostgreSQL's word on the generation. */
  get #certain(): boolean {
    return this.settings.cacheL1Strict !== 'acknowledged' || this.connection.certain;
  }

  async #informed(): Promise<boolean> {
    const outcomes = await Promise.allSettled(this.#termListeners.map((listener) => listener()));
    return outcomes.every(({ status }) => status === 'fulfilled');
  }

  #hear(text: string): void {
    const { tags, atMs, ack } = JSON.parse(text) as InvalidationMessage;
    this.l1.invalidate(tags);
    if (ack && this.settings.cacheL1Strict === 'acknowledged') this.#acknowledge(ack);
    const seconds = Math.max(0, this.clock.wallMs() - atMs) / 1000;
    this.events.emit({ type: 'dropped', tags, seconds, sentAtMs: atMs });
  }

  /** Lost on the way, it costs the writer the rest of this node's lease, and nothing else. */
  #acknowledge({ to, id }: Acknowledgement): void {
    const { node } = this.acknowledgements;
    if (to === node) return;
    const text = JSON.stringify({ ack: id, node });
    this.#publish(nodeChannel(to), text).catch((error: Error) =>
      this.#logger.debug(`no acknowledgement: ${error.message}`),
    );
  }

  async #publish(channel: string, text: string): Promise<void> {
    await this.connection.command(this.connection.gen, (client) => client.publish(channel, text));
  }

  #hearAnswer(text: string): void {
    const { beat, ack, node } = JSON.parse(text) as { beat?: number; ack?: string; node?: string };
    if (beat !== undefined) this.heartbeat.hear(beat);
    if (ack !== undefined && node !== undefined) this.acknowledgements.hear(ack, node);
  }

  /** A generation has begun, or ended: what was learned under another one is nothing to rely on. */
  #changeGeneration(text: string): void {
    this.l1.clear();
    if (text.startsWith('!')) return this.connection.ended(text.slice(1));
    this.connection.begun(text);
    this.events.emit({ type: 'cleared' });
  }
}
