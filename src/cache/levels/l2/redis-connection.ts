import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { Settings } from '../../../config/index.js';
import { LevelUnavailableError } from '../../cache.errors.js';
import { type BreakerState, CacheEvents } from '../../events.js';
import { Deadlines } from './deadlines.js';
import { GenerationRecord } from './generation.js';
import { recordKey } from './keys.js';
import { createRedisClient, type RedisClient } from './redis-client.js';
import { evaluate } from './evaluate.js';
import { type ScriptName } from './scripts.js';

/** So many failures in a row, without an answer in between, and the connection is given up. */
const failuresToOpen = 3;
const sameFailureMs = 10;
const probeTimeoutMs = 1_000;
const retryDelaysMs = [20, 50, 100, 200, 400, 800] as const;

/**
 * The way to Redis, and its circuit breaker. *Closed*: connected to a server that was identified, under a known
 * generation. *Open*: nothing is sent. *Half-open*: one probe connects, compares identities and establishes the
 * generation; only then is anything else let through. A connection serves one life and is never resumed.
 */
@Injectable()
export class RedisConnection implements OnModuleInit, OnApplicationShutdown {
  readonly #logger = new Logger('Cache');
  readonly #deadlines: Deadlines;
  #client: RedisClient | undefined;
  #gen: string | undefined;
  #state: BreakerState = 'open';
  #failures = 0;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #stopped = false;
  #attempt: Promise<void> | undefined;
  #renewal: Promise<void> = Promise.resolve();
  readonly #openListeners: (() => void)[] = [];
  readonly #waiting = new Set<(open: boolean) => void>();

  constructor(
    private readonly settings: Settings,
    private readonly record: GenerationRecord,
    private readonly events: CacheEvents,
  ) {
    this.#deadlines = new Deadlines(settings.redisTimeoutMs);
  }

  async onModuleInit(): Promise<void> {
    if (!this.settings.redisUrl) return this.#logger.warn('no REDIS_URL: running without the shared level');
    // The first attempt is waited for, so that a healthy service is ready with its cache; a failed one is not.
    await this.#tryToOpen();
    if (this.#state !== 'closed') void this.#reopen();
  }

  onApplicationShutdown(): void {
    this.#stopped = true;
    this.#giveUp('shutdown');
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** The generation in force. @throws {LevelUnavailableError} if there is none. */
  get gen(): string {
    if (this.#gen) return this.#gen;
    if (!this.settings.redisUrl) throw new LevelUnavailableError('disabled', 'no Redis is configured');
    throw this.#client
      ? new LevelUnavailableError('no-epoch', 'the generation of the data set is not known')
      : new LevelUnavailableError('redis', 'Redis is not reachable');
  }

  /** What Redis does when its memory is full (`maxmemory-policy`), as of the last time it was asked. */
  get evictionPolicy(): string {
    return this.record.evictionPolicy;
  }

  /** Called whenever the connection has opened with a generation. */
  onOpen(listener: () => void): void {
    this.#openListeners.push(listener);
  }

  /** Whether the connection is open, or opens within the time. */
  async untilOpen(timeoutMs: number): Promise<boolean> {
    if (this.#gen) return true;
    if (!this.settings.redisUrl) return false;
    let waiting: (open: boolean) => void = () => undefined;
    const opened = new Promise<boolean>((resolve) => this.#waiting.add((waiting = resolve)));
    return Promise.race([opened, sleep(timeoutMs, false)]).finally(() => this.#waiting.delete(waiting));
  }

  /**
   * Runs one script under a generation.
   * @throws {LevelUnavailableError} on a broken connection, a passed deadline or another generation
   */
  async run(gen: string, name: ScriptName, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.command(gen, (client) =>
      evaluate(client, name, { keys: [recordKey, ...keys], arguments: [gen, ...args] }),
    );
  }

  /** Any other command, with the same deadline and the same breaker. */
  async command<T>(gen: string, send: (client: RedisClient) => Promise<T>): Promise<T> {
    const client = this.#client;
    if (!client || this.#gen !== gen) throw new LevelUnavailableError('no-epoch', 'the generation has changed');
    try {
      const answer = await this.#deadlines.bound(send(client));
      this.#failures = 0;
      return answer;
    } catch (error) {
      throw this.#judge(client, error as Error);
    }
  }

  /** Gives the connection up; whatever comes next begins with the listeners of {@link onOpen}. */
  reset(reason: string): void {
    this.#giveUp(reason);
  }

  /**
   * Begins a new generation: nothing that is stored is reachable any more. One at a time; every node is told.
   * @throws {LevelUnavailableError} if it did not begin, as far as this node knows
   */
  renewGeneration(): Promise<void> {
    const renewal = this.#renewal.then(() => this.#renew());
    this.#renewal = renewal.catch(() => undefined);
    return renewal;
  }

  /** Told the name of every generation as it begins: on any other one there is nothing left to do. */
  superseded(gen: string): void {
    if (this.#gen !== undefined && this.#gen !== gen) this.#giveUp('another node began a new generation');
  }

  async #renew(): Promise<void> {
    const client = this.#client;
    const previous = this.#gen;
    if (!client) throw new LevelUnavailableError('redis', 'Redis is not reachable');
    this.#gen = undefined;
    try {
      const gen = await new Deadlines(probeTimeoutMs).bound(this.#untilRenewed(client));
      if (client !== this.#client) throw new Error('the connection was closed');
      this.#gen = gen;
    } catch (error) {
      // Should it have begun after all, the next command learns of it.
      if (client === this.#client) this.#gen = previous;
      throw new LevelUnavailableError('no-epoch', (error as Error).message, { cause: error });
    }
  }

  /** Another node may be installing one of its own, that began before this one was asked for. */
  async #untilRenewed(client: RedisClient): Promise<string> {
    for (const giveUpAtMs = performance.now() + probeTimeoutMs; performance.now() < giveUpAtMs; await sleep(20)) {
      const gen = await this.record.renew(client);
      if (gen) return gen;
    }
    throw new Error('another node is installing a generation');
  }

  #judge(client: RedisClient, error: Error): Error {
    const current = client === this.#client;
    if (error.message.startsWith('EPOCHCHANGED')) {
      if (current) this.#giveUp('the data set has another generation');
      return new LevelUnavailableError('no-epoch', error.message, { cause: error });
    }
    if (error.message.startsWith('READONLY')) {
      if (current) this.#giveUp('the server is a replica now');
      return new LevelUnavailableError('redis', error.message, { cause: error });
    }
    if (error.constructor.name === 'ErrorReply' && !/^(LOADING|OOM|MASTERDOWN|BUSY)/.test(error.message)) return error;
    this.#countFailure();
    if (current && this.#failures >= failuresToOpen) this.#giveUp(error.message);
    return new LevelUnavailableError('redis', error.message, { cause: error });
  }

  /** What fails together is one failure: a pipeline that came a moment late is no outage. */
  #countFailure(): void {
    const now = performance.now();
    if (now - this.#failedAtMs < sameFailureMs) return;
    this.#failedAtMs = now;
    this.#failures += 1;
  }

  #giveUp(reason: string): void {
    const client = this.#client;
    if (!client) return;
    this.#client = undefined;
    this.#gen = undefined;
    this.#failures = 0;
    client.disconnect().catch(() => undefined);
    this.events.emit({ type: 'connection', path: 'data', open: false, reason });
    this.#enter('open');
    if (!this.#stopped) {
      this.#logger.warn(`the connection to Redis was given up: ${reason}`);
      void this.#reopen();
    }
  }

  async #reopen(): Promise<void> {
    for (let attempt = 0; !this.#stopped && !this.#client; attempt += 1) {
      await sleep(retryDelaysMs[Math.min(attempt, retryDelaysMs.length - 1)]);
      if (!this.#stopped && !this.#client) await this.#tryToOpen();
    }
  }

  #tryToOpen(): Promise<void> {
    this.#attempt ??= this.#probe().finally(() => (this.#attempt = undefined));
    return this.#attempt;
  }

  async #probe(): Promise<void> {
    this.#enter('half-open');
    const client = createRedisClient(this.settings.redisUrl!, this.settings.redisTimeoutMs);
    let gone = false;
    client.on('error', (error: Error) => client === this.#client && this.#giveUp(error.message));
    client.on('end', () => {
      gone = true;
      if (client === this.#client) this.#giveUp('the connection was closed');
    });
    try {
      const probe = new Deadlines(probeTimeoutMs);
      await probe.bound(client.connect().then(() => undefined));
      const gen = await probe.bound(this.record.establish(client));
      if (!gen) throw new Error('another node is installing the generation');
      if (gone || this.#stopped) throw new Error('the connection was closed');
      this.#client = client;
      this.#gen = gen;
      this.#enter('closed');
      this.events.emit({ type: 'connection', path: 'data', open: true });
      for (const listener of this.#openListeners) listener();
      for (const resolve of this.#waiting) resolve(true);
      this.#waiting.clear();
    } catch (error) {
      client.disconnect().catch(() => undefined);
      this.#enter('open');
      this.#logger.debug(`Redis cannot be used yet: ${(error as Error).message}`);
    }
  }

  #enter(state: BreakerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.events.emit({ type: 'breaker', level: 'l2', state });
  }
}
