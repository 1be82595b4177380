import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CacheEvents,
  Clock,
  createRedisClient,
  generationChannel,
  invalidationChannel,
  type InvalidationMessage,
  Lease,
  MemoryLevel,
  RedisConnection,
  type RedisClient,
} from '../../cache/index.js';
import { Settings } from '../../config/index.js';

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
  readonly #policyListeners: (() => void)[] = [];

  constructor(
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly l1: MemoryLevel,
    private readonly lease: Lease,
    private readonly connection: RedisConnection,
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

  /** Called when some node has switched a policy. */
  onPolicies(listener: () => void): void {
    this.#policyListeners.push(listener);
  }

  async announcePolicies(): Promise<void> {
    if (this.connection.state !== 'closed') return;
    await this.connection.command(this.connection.gen, (client) => client.publish(policiesChannel, ''));
  }

  async #run(attempted: () => void): Promise<void> {
    for (let failures = 0; !this.#stopped; failures += 1) {
      const client = createRedisClient(this.settings.redisUrl!, this.settings.redisTimeoutMs);
      this.#client = client;
      const ended = endOf(client);
      try {
        await within(connectTimeoutMs, this.#subscribe(client), ended);
        failures = 0;
        await this.#keepTerm(client, ended, attempted);
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
    await client.subscribe([invalidationChannel, generationChannel, policiesChannel], (text, channel) => {
      if (channel === invalidationChannel) this.#hear(text);
      else if (channel === generationChannel) this.#dropAll(text);
      else for (const listener of this.#policyListeners) listener();
    });
  }

  /** From a confirmed SUBSCRIBE to the end of the connection. */
  async #keepTerm(client: RedisClient, ended: Promise<never>, begun: () => void): Promise<void> {
    const term = this.lease.begin();
    this.events.emit({ type: 'connection', path: 'invalidation', open: true });
    try {
      for (;;) {
        const sentAtMs = this.clock.monotonicMs();
        await within(this.settings.cacheL1LeaseMs, client.ping(), ended);
        this.lease.extend(term, sentAtMs);
        begun();
        await Promise.race([sleep(this.settings.cacheL1LeaseMs / 4), ended]);
      }
    } finally {
      this.lease.end(term);
      this.events.emit({ type: 'connection', path: 'invalidation', open: false });
    }
  }

  #hear(text: string): void {
    const { tags, atMs } = JSON.parse(text) as InvalidationMessage;
    this.l1.invalidate(tags);
    this.events.emit({ type: 'dropped', tags, seconds: Math.max(0, this.clock.wallMs() - atMs) / 1000 });
  }

  /** A generation has begun: what was learned under another one is nothing to rely on. */
  #dropAll(gen: string): void {
    this.l1.clear();
    this.connection.superseded(gen);
    this.events.emit({ type: 'cleared' });
  }
}

/** Rejects when the connection is gone. */
function endOf(client: RedisClient): Promise<never> {
  const ended = new Promise<never>((_, reject) => {
    client.on('error', (error: Error) => reject(error));
    client.on('end', () => reject(new Error('the connection was closed')));
  });
  ended.catch(() => undefined);
  return ended;
}

async function within<T>(timeoutMs: number, work: Promise<T>, ended: Promise<never>): Promise<T> {
  const abort = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`no answer within ${timeoutMs} ms`);
  });
  late.catch(() => undefined);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, ended, late]);
  } finally {
    abort.abort();
  }
}
