import { Logger } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';

/** What Bull uses its connections for: to ask, and to wait for work. */
export type ConnectionRole = 'client' | 'bclient';

const connectTimeoutMs = 1_000;
/** Of one command that does not block. */
const commandTimeoutMs = 1_000;
/** A connection that owes an answer for so long is dead; longer than Bull's blocking pop (5 s). */
const socketTimeoutMs = 15_000;
const retryDelayMs = (attempt: number): number => Math.min(50 * 2 ** (attempt - 1), 1_600);

const common: RedisOptions = {
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
  override sendCommand(...command: Parameters<Redis['sendCommand']>): unknown {
    const answered = super.sendCommand(...command) as Promise<unknown>;
    answered.catch(() => undefined);
    return answered;
  }
}

/** The queue's connections to Redis: made for Bull, watched, and ended without mercy at the end. */
export class QueueConnections {
  readonly #logger = new Logger('Warming');
  readonly #made = new Map<ConnectionRole, Redis>();
  readonly #readyListeners: (() => void)[] = [];
  #lost = false;
  #ended = false;

  constructor(private readonly url: string) {}

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
    const redis = new QueueRedis(this.url, {
      ...(role === 'client' ? impatient : patient),
      connectionName,
      // A connection that breaks while it is being ended would come back.
      retryStrategy: (attempt) => (this.#ended ? null : retryDelayMs(attempt)),
    });
    redis.on('close', () => forgetSocketTimeout(redis));
    // Bull listens as well, but only until its queue is closed.
    redis.on('error', (error: Error) => role === 'client' && this.#lose(error.message));
    if (role === 'client')
      redis.on('close', () => this.#lose('the connection was closed')).on('ready', () => this.#find());
    this.#made.set(role, redis);
    // Bull makes some of them late.
    if (this.#ended) redis.disconnect();
    return redis;
  }

  /** Ends the wait for work, which would otherwise last until it comes or times out. */
  stopWaiting(): void {
    this.#made.get('bclient')?.disconnect();
  }

  end(): void {
    this.#ended = true;
    for (const redis of this.#made.values()) redis.disconnect();
  }

  /** Told once per outage: an attempt to connect fails every second or so. */
  #lose(reason: string): void {
    if (this.#lost || this.#ended) return;
    this.#lost = true;
    this.#logger.warn(`the warming queue is not available: ${reason}`);
  }

  #find(): void {
    if (this.#lost) this.#logger.log('the warming queue is available again');
    this.#lost = false;
    for (const listener of this.#readyListeners) listener();
  }
}

/** ioredis leaves the timer of a closed connection running, and lets it end the next one. */
function forgetSocketTimeout(redis: Redis): void {
  const timed = redis as unknown as { socketTimeoutTimer: NodeJS.Timeout | undefined };
  clearTimeout(timed.socketTimeoutTimer);
  timed.socketTimeoutTimer = undefined;
}
