import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { Settings } from '../../../config/index.js';
import { LevelUnavailableError, UnusableRedisError } from '../../cache.errors.js';
import { type BreakerState, CacheEvents } from '../../events.js';
import { Deadlines } from './deadlines.js';
import { authorityEveryMs } from './authority.js';
import { GenerationRecord, type Joined } from './generation.js';
import { namespaceOf, recordKey } from './keys.js';
import { RedisFaults } from './redis-faults.js';
import { createRedisClient, type RedisClient } from './redis-client.js';
import { evaluate } from './evaluate.js';
import { isErrorReply, reasonOf, unanswered } from './fault-reason.js';
import { type ScriptName } from './scripts.js';
import { Waiters } from './waiters.js';

/** So many failures in a row, without an answer in between, and the connection is given up. */
const failuresToOpen = 3;
const sameFailureMs = 10;
/** How long connecting may take, and finding or beginning a generation, in ms. */
const probeTimeoutMs = 1_000;
/** How long a new generation may be asked for while there is none to renew, in ms: another node may be beginning one. */
const renewalTimeoutMs = 2_000;
const retryDelaysMs = [20, 50, 100, 200, 400, 800] as const;
/** A connection that has lived for so long makes up for those before it that Redis has refused, in ms. */
const soundAfterMs = 5_000;

/**
 * The way to Redis, and its circuit breaker. *Closed*: connected to a server that was identified, under a known
 * generation. *Open*: nothing is sent. *Half-open*: one probe connects, compares identities and establishes the
 * generation, or establishes the next one where one has ended; only then is anything else let through. A connection serves
 * one life and is never resumed. An error reply that is no part of the protocol ends it: what Redis refuses is a level that
 * is away, and the probe finds out why, and when it is back.
 */
@Injectable()
export class RedisConnection implements OnModuleInit, OnApplicationShutdown {
  readonly #logger = new Logger('Cache');
  readonly #deadlines: Deadlines;
  #client: RedisClient | undefined;
  #gen: string | undefined;
  #number: string | undefined;
  #state: BreakerState = 'open';
  #failures = 0;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #stopped = false;
  #attempt: Promise<void> | undefined;
  /** A generation is being found or begun on the open connection. */
  #joining: Promise<void> | undefined;
  #checking: Promise<void> | undefined;
  /** How many connections in a row an error reply has ended, and when the latest opened. */
  #refused = 0;
  #openedAtMs = 0;
  readonly #demands: (() => Error | undefined)[] = [];
  readonly #openListeners: (() => void)[] = [];
  readonly #waiters = new Waiters();

  constructor(
    private readonly settings: Settings,
    private readonly record: GenerationRecord,
    private readonly faults: RedisFaults,
    private readonly events: CacheEvents,
  ) {
    this.#deadlines = new Deadlines(settings.redisTimeoutMs);
  }

  async onModuleInit(): Promise<void> {
    if (!this.settings.redisUrl) return this.#logger.warn('no REDIS_URL: running without the shared level');
    // The first attempt is waited for, so that a healthy service is ready with its cache; a failed one is not.
    await this.#tryToOpen();
    if (this.#state !== 'closed') void this.#reopen();
    this.record.watch(() => this.checkAnew());
    void this.#watch();
  }

  onApplicationShutdown(): void {
    this.#stopped = true;
    this.record.close();
    this.#giveUp(new Error('shutdown'));
    this.#waiters.end(false);
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

  /** Whether the generation is certainly the one in force: PostgreSQL has said so within its lease. */
  get certain(): boolean {
    return this.#gen !== undefined && this.record.certain;
  }

  /** The place of the generation in force in the sequence of all. */
  get number(): string | undefined {
    return this.#number;
  }

  /** Whether the server can be told from another. */
  get identified(): boolean {
    return this.record.identified;
  }

  /** Whether what PostgreSQL has shown to anybody survives its crash (`synchronous_commit`). */
  get durable(): boolean {
    return this.record.durable;
  }

  /** What Redis does when its memory is full (`maxmemory-policy`), as of the last time it was asked. */
  get evictionPolicy(): string {
    return this.record.evictionPolicy;
  }

  /** @param impediment says why the server cannot be used; asked before it is, and several times a second while it is */
  demand(impediment: () => Error | undefined): void {
    this.#demands.push(impediment);
  }

  /** Called whenever the connection has opened with a generation. */
  onOpen(listener: () => void): void {
    this.#openListeners.push(listener);
  }

  /** Whether the connection is open, or opens within the time. */
  async untilOpen(timeoutMs: number): Promise<boolean> {
    if (this.#gen) return true;
    if (!this.settings.redisUrl) return false;
    return this.#waiters.wait(timeoutMs);
  }

  /**
   * Runs one script under a generation.
   * @throws {LevelUnavailableError} on a broken connection, a passed deadline, an error reply or another generation
   */
  async run(gen: string, name: ScriptName, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.command(gen, (client) => this.#evaluate(client, gen, name, keys, args));
  }

  /** Any other command, with the same deadline and the same breaker. */
  async command<T>(gen: string, send: (client: RedisClient) => Promise<T>): Promise<T> {
    return this.#send(gen, (client) => this.#deadlines.bound(send(client)));
  }

  /**
   * Runs a script that must not be lost. It may be late: the server executes what this connection sends in that order, so
   * whatever is sent behind it is executed behind it. While it is late, it counts as a command that has failed, and a
   * connection that stays silent is given up.
   * @throws {LevelUnavailableError} on a broken connection or another generation
   */
  async deliver(gen: string, name: ScriptName, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.#send(gen, (client) =>
      this.#deadlines.watch(this.#evaluate(client, gen, name, keys, args), (late) => this.#judge(client, gen, late)),
    );
  }

  async #send<T>(gen: string, send: (client: RedisClient) => Promise<T>): Promise<T> {
    const client = this.#client;
    if (!client || this.#gen !== gen) throw new LevelUnavailableError('no-epoch', 'the generation has changed');
    try {
      const answer = await send(client);
      this.#failures = 0;
      return answer;
    } catch (error) {
      throw this.#judge(client, gen, error as Error);
    }
  }

  #evaluate(client: RedisClient, ...[gen, name, keys, args]: Parameters<RedisConnection['run']>): Promise<unknown> {
    return evaluate(client, name, { keys: [recordKey(namespaceOf(gen)), ...keys], arguments: [gen, ...args] });
  }

  /**
   * Gives the connection up; whatever comes next begins with the listeners of {@link onOpen}. Where a generation is being
   * joined on it, they are called after that anyway: it is not given up, and with it perhaps the generation.
   */
  reset(reason: string): void {
    if (!this.#joining) this.#giveUp(new LevelUnavailableError('redis', reason));
  }

  /** How long a writer may have to wait until its connection has a generation again, in ms; 0: there is none to wait for. */
  get joiningMs(): number {
    return this.#joining ? probeTimeoutMs : 0;
  }

  /**
   * Begins a new generation: nothing that is stored now is reachable any more. Every node is told.
   * @throws {LevelUnavailableError} if it did not begin, as far as this node knows
   */
  async renewGeneration(): Promise<void> {
    const giveUpAtMs = performance.now() + renewalTimeoutMs;
    while (!this.#gen) {
      if (await this.untilOpen(giveUpAtMs - performance.now())) continue;
      throw new LevelUnavailableError('redis', 'Redis is not reachable');
    }
    const before: Joined = { gen: this.#gen, number: this.#number! };
    try {
      await this.#join(this.#client!, { renew: true });
    } catch (error) {
      // Should it have begun after all, the next command learns of it.
      if (this.#client && !this.#joining) this.#use(before);
      throw new LevelUnavailableError('no-epoch', (error as Error).message, { cause: error });
    }
  }

  /** Told the name of every generation as it begins: under any other one there is nothing left to do. */
  begun(gen: string): void {
    if (this.#client && this.#gen !== gen) this.#rejoin(this.#client);
  }

  /** Told the name of every generation as it ends, '' where nobody knows which. */
  ended(gen: string): void {
    if (this.#client && (gen === '' || this.#gen === gen)) this.#rejoin(this.#client);
  }

  /** Both servers are asked several times a second whether the generation is still in force. */
  async #watch(): Promise<void> {
    for (; !this.#stopped; await sleep(authorityEveryMs)) await this.#check();
  }

  #check(): Promise<void> {
    this.#checking ??= this.#confirm().finally(() => (this.#checking = undefined));
    return this.#checking;
  }

  /** Both servers are asked now. */
  async checkAnew(): Promise<void> {
    await this.#checking;
    await this.#check();
    await this.#joining?.catch(() => undefined);
  }

  async #confirm(): Promise<void> {
    const client = this.#client;
    const gen = this.#gen;
    if (!client || !gen) return;
    try {
      if (await this.record.confirm(client, gen, this.#deadlines)) return this.#meetDemands();
      if (client === this.#client && gen === this.#gen) this.#rejoin(client);
    } catch (error) {
      this.#judge(client, gen, error as Error);
    }
  }

  #rejoin(client: RedisClient, how?: { readonly renew: boolean }): void {
    if (this.#joining) return;
    this.#join(client, how).catch((error: Error) => client === this.#client && this.#giveUp(error));
  }

  /** Finds the generation in force, or begins one, on the open connection. Until then nothing else is sent. */
  #join(client: RedisClient, { renew = false } = {}): Promise<void> {
    this.#gen = undefined;
    this.#enter('half-open');
    const joining = this.#established(client, renew)
      .then((joined) => {
        if (client !== this.#client) throw new Error('the connection was closed');
        this.#meetDemands();
        this.#joining = undefined;
        this.#use(joined);
      })
      .finally(() => {
        if (this.#joining === joining) this.#joining = undefined;
      });
    this.#joining = joining;
    return joining;
  }

  async #established(client: RedisClient, renew = false): Promise<Joined> {
    const late = new AbortController();
    try {
      return await new Deadlines(probeTimeoutMs).bound(this.record.establish(client, late.signal, { renew }));
    } finally {
      late.abort();
    }
  }

  /** @throws what keeps the server from being used */
  #meetDemands(): void {
    for (const impediment of this.#demands) {
      const error = impediment();
      if (error) throw error;
    }
  }

  #use({ gen, number }: Joined): void {
    this.#gen = gen;
    this.#number = number;
    this.faults.clear('data');
    this.#enter('closed');
    for (const listener of this.#openListeners) listener();
    this.#waiters.end(true);
  }

  #judge(client: RedisClient, gen: string, error: Error): LevelUnavailableError {
    const current = client === this.#client;
    if (error.message.startsWith('EPOCHCHANGED')) {
      if (current && gen === this.#gen) this.#rejoin(client);
      return new LevelUnavailableError('no-epoch', error.message, { cause: error });
    }
    // Somebody has put something else where an entry of ours belongs: nothing of this generation can be relied on.
    if (error.message.startsWith('WRONGTYPE')) {
      if (current && gen === this.#gen) this.#rejoin(client, { renew: true });
      return new LevelUnavailableError('no-epoch', reasonOf(error), { cause: error });
    }
    if (isErrorReply(error) || error instanceof UnusableRedisError) {
      if (current) this.#refuse(error);
    } else {
      if (current) this.#countFailure();
      if (current && this.#failures >= failuresToOpen && !this.#joining) this.#giveUp(error);
    }
    return new LevelUnavailableError('redis', reasonOf(error), { cause: error });
  }

  /** What fails together is one failure: a pipeline that came a moment late is no outage. */
  #countFailure(): void {
    const now = performance.now();
    if (now - this.#failedAtMs < sameFailureMs) return;
    this.#failedAtMs = now;
    this.#failures += 1;
  }

  /** Where it happens again and again, the pauses before the next connection grow. */
  #refuse(error: Error): void {
    this.#refused = performance.now() - this.#openedAtMs > soundAfterMs ? 0 : this.#refused + 1;
    this.#giveUp(error);
  }

  #giveUp(error: Error): void {
    const client = this.#client;
    if (!client) return;
    this.#client = undefined;
    this.#gen = undefined;
    this.#joining = undefined;
    this.#failures = 0;
    client.disconnect().catch(() => undefined);
    this.events.emit({ type: 'connection', path: 'data', open: false, reason: reasonOf(error) });
    this.#enter('open');
    if (!this.#stopped) {
      this.faults.report('data', error);
      void this.#reopen();
    }
  }

  async #reopen(): Promise<void> {
    for (let attempt = this.#refused; !this.#stopped && !this.#client; attempt += 1) {
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
    const client = createRedisClient(this.settings.redisUrl!, this.settings.redisTimeoutMs, this.settings);
    let gone = false;
    let answered = false;
    client.on('error', (error: Error) => client === this.#client && this.#giveUp(error));
    client.on('end', () => {
      gone = true;
      if (client === this.#client) this.#giveUp(new Error('the connection was closed'));
    });
    try {
      await new Deadlines(probeTimeoutMs).bound(
        client.connect().then(() => {
          answered = true;
          return this.record.admit(client);
        }),
      );
      const joined = await this.#established(client);
      if (gone || this.#stopped) throw new Error('the connection was closed');
      this.#meetDemands();
      this.#client = client;
      this.#openedAtMs = performance.now();
      this.events.emit({ type: 'connection', path: 'data', open: true });
      this.#use(joined);
    } catch (error) {
      client.disconnect().catch(() => undefined);
      this.#enter('open');
      const failure = error as Error;
      if (!this.#stopped) this.faults.report('data', answered ? failure : unanswered(failure, this.settings.redisUrl!));
    }
  }

  #enter(state: BreakerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.events.emit({ type: 'breaker', level: 'l2', state });
  }
}
