import { Redis, type RedisOptions } from 'ioredis';
import { redisAddress, type RedisCertificates } from '../../config/index.js';
import { isErrorReply, type RedisFaults } from '../../cache/index.js';

/** What Bull uses its connections for: to ask, and to wait for work. */
export type ConnectionRole = 'client' | 'bclient';

const connectTimeoutMs = 1_000;
/** Of one command that does not block. */
const commandTimeoutMs = 1_000;
/** A connection that owes an answer for so long is dead; longer than Bull's blocking pop (5 s). */
const socketTimeoutMs = 15_000;
const retryDelayMs = (attempt: number): number => Math.min(50 * 2 ** (attempt - 1), 1_600);

/** How long a refusal is reported for, in ms: longer than the pauses of what Bull tries again. */
const refusalMs = 3_000;

const common: RedisOptions = {
  disableClientInfo: true,
  connectTimeout: connectTimeoutMs,
  socketTimeout: socketTimeoutMs,
};

/** Fails at once where Redis is not there, and in bounded time where it does not answer. */
const impatient: RedisOptions = {
  ...common,
  commandTimeout: commandTimeoutMs,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
};

/** Waits for work, however long it takes: Bull asks for this, and no request ever waits for it. */
const patient: RedisOptions = { ...common, enableReadyCheck: false, maxRetriesPerRequest: null };

/** ioredis sends some commands by itself and leaves their promises to nobody: what Redis refuses of them must not end the process. */
class QueueRedis extends Redis {
  /** Redis has refused a command that somebody needs. */
  onRefusal: (error: Error) => void = () => undefined;

  override sendCommand(...command: Parameters<Redis['sendCommand']>): unknown {
    const answered = super.sendCommand(...command) as Promise<unknown>;
    // CLIENT SETNAME is for people who look at the server.
    const needed = command[0].name !== 'client';
    answered.catch((error: Error) => needed && isErrorReply(error) && this.onRefusal(error));
    return answered;
  }

  /** Bull connects what is connecting already, or has ended, and leaves the promise to nobody. ioredis goes on by itself. */
  override connect(): Promise<void> {
    return super.connect().catch(() => undefined);
  }
}

/** The queue's connections to Redis: made for Bull, watched, and ended without mercy at the end. */
export class QueueConnections {
  readonly #made = new Map<ConnectionRole, Redis>();
  readonly #readyListeners: (() => void)[] = [];
  #faults: RedisFaults | undefined;
  #forgetting: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(
    private readonly url: string,
    private readonly certificates?: RedisCertificates,
  ) {}

  /** Where it is reported that they cannot be used, and why. */
  reportTo(faults: RedisFaults): void {
    this.#faults = faults;
  }

  /** Whether commands can be sent now. */
  get ready(): boolean {
    return this.#made.get('client')?.status === 'ready';
  }

  /** Called whenever commands can be sent again. */
  onReady(listener: () => void): void {
    this.#readyListeners.push(listener);
    if (this.ready) listener();
  }

  make(role: ConnectionRole, connectionName: string): Redis {
    const { database: db, ...address } = redisAddress(this.url, this.certificates);
    const redis = new QueueRedis({
      ...address,
      db,
      ...(role === 'client' ? impatient : patient),
      connectionName,
      // A connection that breaks while it is being ended would come back.
      retryStrategy: (attempt) => (this.#ended ? null : retryDelayMs(attempt)),
    });
    redis.on('close', () => forgetSocketTimeout(redis));
    // Bull listens as well, but only until its queue is closed.
    redis.on('error', (error: Error) => role === 'client' && this.#report(error));
    if (role === 'client')
      redis.on('close', () => this.#report(new Error('the connection was closed'))).on('ready', () => this.#find());
    redis.onRefusal = (error) => this.#refused(error);
    this.#made.set(role, redis);
    // Bull makes some of them late.
    if (this.#ended) redis.disconnect();
    return redis;
  }

  /** Ends the wait for work, which would otherwise last until it comes or times out. */
  stopWaiting(): void {
    this.#made.get('bclient')?.disconnect();
  }

  /** For good: none is made any more. */
  refuse(error: Error): void {
    this.#report(error);
    this.end();
  }

  end(): void {
    this.#ended = true;
    for (const redis of this.#made.values()) redis.disconnect();
  }

  #report(error: Error): void {
    if (!this.#ended) this.#faults?.report('queue', error);
  }

  /** Bull tries again what it needs, on connections that are as good as before. */
  #refused(error: Error): void {
    this.#report(error);
    clearTimeout(this.#forgetting);
    this.#forgetting = setTimeout(() => this.ready && this.#faults?.clear('queue'), refusalMs).unref();
  }

  #find(): void {
    this.#faults?.clear('queue');
    for (const listener of this.#readyListeners) listener();
  }
}

/** ioredis leaves the timer of a closed connection running, and lets it end the next one. */
function forgetSocketTimeout(redis: Redis): void {
  const timed = redis as unknown as { socketTimeoutTimer: NodeJS.Timeout | undefined };
  clearTimeout(timed.socketTimeoutTimer);
  timed.socketTimeoutTimer = undefined;
}
