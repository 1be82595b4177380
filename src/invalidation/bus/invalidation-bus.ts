import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Acknowledgement,
  CacheEvents,
  Clock,
  createRedisClient,
  generationChannel,
  invalidationChannel,
  Lease,
  MemoryLevel,
  Namespace,
  namespaceOf,
  nodeChannel,
  policiesChannel,
  RedisConnection,
  type RedisClient,
  RedisFaults,
} from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { Acknowledgements } from './acknowledgements.js';
import { endOf, within } from './connection-life.js';
import { Heartbeat } from './heartbeat.js';
import { invalidationIn, nodeMessageIn } from './messages.js';
import { NodeLeases } from './node-leases.js';

const connectTimeoutMs = 1_000;
const retryDelaysMs = [20, 50, 100, 200, 400, 800] as const;
/** The least pause behind a heartbeat that was not answered, in ms. */
const leastPauseMs = 20;

/** Keeps no process alive: what has ended in the meantime need not wait for it. */
const pause = (ms: number): Promise<void> => sleep(ms, undefined, { ref: false });

/**
 * Hears every invalidation, and keeps the lease: a heartbeat every quarter of it, answered on the connection that also
 * carries the invalidations, hence after all earlier ones. Each connection is one term of the lease; when it ends, for
 * whatever reason, everything that was learned in it is void.
 */
@Injectable()
export class InvalidationBus implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Invalidation');
  #client: RedisClient | undefined;
  #stopped = false;
  readonly #policyListeners: (() => void)[] = [];
  readonly #termListeners: (() => Promise<void>)[] = [];

  constructor(
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly l1: MemoryLevel,
    private readonly lease: Lease,
    private readonly connection: RedisConnection,
    private readonly faults: RedisFaults,
    private readonly namespace: Namespace,
    private readonly heartbeat: Heartbeat,
    private readonly acknowledgements: Acknowledgements,
    private readonly leases: NodeLeases,
    private readonly events: CacheEvents,
  ) {
    namespace.onChange(() => this.#moveAway());
  }

  /**
   * Every module is initialised by now, whatever their order: the connection to Redis has made its first attempt, so there
   * is a generation to ask about. The first attempt is waited for, so that a healthy service is ready with its L1; a failed
   * one is not.
   */
  async onApplicationBootstrap(): Promise<void> {
    if (!this.settings.redisUrl) return;
    await new Promise<void>((attempted) => void this.#run(attempted));
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    await this.#client?.disconnect().catch(() => undefined);
  }

  /** Called when the policies are to be read again, in order with the invalidations. */
  onPolicies(listener: () => void): void {
    this.#policyListeners.push(listener);
  }

  /** Awaited before anything is served in a new term: what was said while nobody heard must be asked for. */
  onTerm(listener: () => Promise<void>): void {
    this.#termListeners.push(listener);
  }

  /** Tells every node, this one included. @throws {LevelUnavailableError} */
  async announcePolicies(): Promise<void> {
    await this.#publish(policiesChannel, 'changed');
  }

  async #run(attempted: () => void): Promise<void> {
    for (let failures = 0; !this.#stopped; failures += 1) {
      const client = createRedisClient(this.settings.redisUrl!, this.settings.redisTimeoutMs, this.settings);
      this.#client = client;
      const ended = endOf(client);
      try {
        const namespace = await this.namespace.find();
        await within(connectTimeoutMs, this.#subscribe(client, namespace), ended);
        failures = 0;
        this.faults.clear('invalidation');
        await this.#keepTerm(ended, attempted);
      } catch (error) {
        if (!this.#stopped) this.faults.report('invalidation', error as Error);
      }
      attempted();
      client.disconnect().catch(() => undefined);
      if (!this.#stopped) await sleep(retryDelaysMs[Math.min(failures, retryDelaysMs.length - 1)]);
    }
  }

  async #subscribe(client: RedisClient, namespace: string): Promise<void> {
    await client.connect();
    const listeners = new Map<string, (text: string) => void>([
      [invalidationChannel(namespace), (text) => this.#hear(text)],
      [generationChannel(namespace), (text) => this.#changeGeneration(text, namespace)],
      [policiesChannel(namespace), () => this.#policyListeners.forEach((listener) => listener())],
      [nodeChannel(namespace, this.acknowledgements.node), (text) => this.#hearAnswer(text)],
    ]);
    await client.subscribe([...listeners.keys()], (text, channel) => listeners.get(channel)?.(text));
  }

  /** Nothing that this connection brings is meant for the new name. */
  #moveAway(): void {
    if (this.lease.term) this.lease.end(this.lease.term);
    this.#client?.disconnect().catch(() => undefined);
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
        if (answered && informed && this.leases.registered && this.#certain) this.lease.extend(term, sentAt);
        begun();
        await Promise.race([answered ? pause(leaseMs / 4) : this.#untilGeneration(leaseMs / 4), ended]);
      }
    } finally {
      this.lease.end(term);
      this.events.emit({ type: 'connection', path: 'invalidation', open: false });
    }
  }

  /** Without a generation there is nothing to ask about; as soon as there is one, the lease need not wait any longer. */
  async #untilGeneration(atMostMs: number): Promise<void> {
    await Promise.all([sleep(Math.min(leastPauseMs, atMostMs)), this.connection.untilOpen(atMostMs)]);
  }

  /** Where L1 is used under `strict`, its lease is no better than PostgreSQL's word on the generation. */
  get #certain(): boolean {
    return this.settings.cacheL1Strict !== 'acknowledged' || this.connection.certain;
  }

  async #informed(): Promise<boolean> {
    const informing = [this.leases.register(), ...this.#termListeners.map((listener) => listener())];
    const outcomes = await Promise.allSettled(informing);
    return outcomes.every(({ status }) => status === 'fulfilled');
  }

  #hear(text: string): void {
    const message = invalidationIn(text);
    if (!message) return this.#ignore(text);
    const { tags, atMs, ack } = message;
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
    this.#publish((namespace) => nodeChannel(namespace, to), text).catch((error: Error) =>
      this.#logger.debug(`no acknowledgement: ${error.message}`),
    );
  }

  async #publish(channel: (namespace: string) => string, text: string): Promise<void> {
    const { gen } = this.connection;
    await this.connection.command(gen, (client) => client.publish(channel(namespaceOf(gen)), text));
  }

  #hearAnswer(text: string): void {
    const message = nodeMessageIn(text);
    if (!message) return this.#ignore(text);
    if ('beat' in message) this.heartbeat.hear(message.beat);
    else this.acknowledgements.hear(message.ack, message.node);
  }

  /** A generation has begun, or ended ('!', and nothing behind it where there was none): what was learned under another one is nothing to rely on. */
  #changeGeneration(text: string, namespace: string): void {
    const gen = text.replace(/^!/, '');
    if (text !== '!' && namespaceOf(gen) !== namespace) return this.#ignore(text);
    this.l1.clear();
    if (text.startsWith('!')) return this.connection.ended(gen);
    this.connection.begun(gen);
    this.events.emit({ type: 'cleared' });
  }

  #ignore(text: string): void {
    this.#logger.debug(`ignored, not a message of this service: ${text.slice(0, 100)}`);
  }
}
