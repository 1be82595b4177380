import { AsyncResource } from 'node:async_hooks';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Listener, type RequestHandler } from '../prepend-request-handler.js';
import { refuse } from './refuse.js';

/** Methods of requests with a body. */
const withBody = /^(?:POST|PUT|PATCH)$/;
const retryAfterMs = 1_000;
/** How much work is in progress while the database is crowded, in ms. */
const workMs = 100;
/** How long a request waits for its turn before it is refused, in ms. */
const patienceMs = 250;
/** How many requests may wait: it bounds the memory that they take. */
const mostWaiting = 1_000;

export interface Bounds {
  /** The limit is never lower. */
  readonly least: number;
  /** The limit is never higher. */
  readonly most: number;
}

interface Waiting {
  readonly req: IncomingMessage;
  readonly sinceMs: number;
  readonly enter: () => void;
}

/**
 * Limits the requests in progress while the database is crowded: to as many as the node answers in 100 ms, so that each of them
 * takes about 100 ms (Little's law). Further requests wait in front of Express, in the order in which
 * they came; they are refused after 250 ms, or at once if 1,000 wait already. The more requests are in progress, the more
 * each of them costs: what they allocate lives long enough to be copied by the garbage collector. A request that waits here
 * costs little, and a client that asks again as soon as it is refused is slowed down.
 *
 * Requests that wait for one shared value, or for a cache, do not crowd the database. A request is in progress from when its
 * body has arrived until its answer is complete: slow clients do not count.
 * @see Nygard, "Release It!", 2018: bulkheads, load shedding
 */
export class Bulkhead {
  readonly #running = new Set<ServerResponse>();
  /** The oldest first. Each connection has one at most. */
  readonly #waiting = new Map<ServerResponse, Waiting>();
  readonly #pace: Pace;
  #isCalling = false;
  #isTiming = false;

  /** @param isUnlimited addresses that are always answered: health, metrics, admin, event streams */
  constructor(
    private readonly bounds: Bounds,
    private readonly isCrowded: () => boolean,
    private readonly isUnlimited: (url: string) => boolean,
    private readonly nowMs = () => performance.now(),
  ) {
    this.#pace = new Pace(nowMs);
  }

  readonly handles: RequestHandler = (req, res, pass) => {
    if (this.isUnlimited(req.url!)) return false;
    if (this.#waiting.size === 0 && this.#hasRoom) {
      this.#enter(req, res);
      return false;
    }
    if (this.#waiting.size < mostWaiting) this.#wait(req, res, pass);
    else refuseNow(req, res);
    return true;
  };

  get #hasRoom(): boolean {
    const { least, most } = this.bounds;
    const { size } = this.#running;
    if (size < least || (this.#waiting.size === 0 && !this.isCrowded())) return true;
    return size < Math.min(most, (this.#pace.perSecond * workMs) / 1_000);
  }

  #enter(req: IncomingMessage, res: ServerResponse): void {
    const begin = () => !res.writableEnded && !res.closed && this.#running.add(res);
    const end = () => this.#running.delete(res) && this.#callNext();
    begin();
    if (withBody.test(req.method!)) setImmediate(untilRead, req, begin, end);
    // Emitted by Node's `end()`: the answer is complete.
    res.once('prefinish', end);
    res.once('close', () => {
      end();
      // Requests that failed later, or that their clients gave up, say nothing about what can be answered.
      if (res.writableEnded && res.statusCode < 500) this.#pace.count();
    });
  }

  #wait(req: IncomingMessage, res: ServerResponse, pass: Listener): void {
    const enter = AsyncResource.bind(() => {
      this.#enter(req, res);
      pass(req, res);
    });
    if (!this.#isTiming) this.#refuseLateIn(patienceMs);
    this.#waiting.set(res, { req, sinceMs: this.nowMs(), enter });
    res.once('close', () => this.#waiting.delete(res));
  }

  /** In a turn of the event loop of its own: the answer that makes room goes out first. */
  #callNext(): void {
    if (this.#isCalling || this.#waiting.size === 0) return;
    this.#isCalling = true;
    setImmediate(() => {
      this.#isCalling = false;
      for (const [res, { enter }] of this.#waiting) {
        if (!this.#hasRoom) return;
        this.#waiting.delete(res);
        enter();
      }
    });
  }

  #refuseLateIn(ms: number): void {
    this.#isTiming = true;
    setTimeout(() => {
      this.#isTiming = false;
      for (const [res, { req, sinceMs }] of this.#waiting) {
        const leftMs = sinceMs + patienceMs - this.nowMs();
        if (leftMs > 0) return this.#refuseLateIn(leftMs);
        this.#waiting.delete(res);
        refuseNow(req, res);
      }
    }, ms);
  }
}

const refuseNow = (req: IncomingMessage, res: ServerResponse): void =>
  refuse(req, res, 503, 'More is being asked than can be answered now.', retryAfterMs);

/** If the body has not arrived together with the head, the request counts again when it has. */
function untilRead(req: IncomingMessage, begin: () => void, end: () => void): void {
  if (req.complete) return;
  end();
  req.once('end', begin);
}

/** Events per second: the higher count of this second and the one before it. */
class Pace {
  #second = 0;
  #now = 0;
  #before = 0;

  constructor(private readonly nowMs: () => number) {}

  count(): void {
    this.#turn();
    this.#now += 1;
  }

  get perSecond(): number {
    this.#turn();
    return Math.max(this.#now, this.#before);
  }

  #turn(): void {
    const second = Math.floor(this.nowMs() / 1_000);
    if (second === this.#second) return;
    this.#before = second === this.#second + 1 ? this.#now : 0;
    this.#now = 0;
    this.#second = second;
  }
}
