import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type RequestHandler } from '../prepend-request-handler.js';
import { refuse } from './refuse.js';

/** Methods of requests with a body. */
const withBody = /^(?:POST|PUT|PATCH)$/;
const retryAfterMs = 1_000;
/** How much work is admitted while the database is crowded, in ms. */
const workMs = 100;
/** The limit ends when no request has been refused for this long, in ms. If it ended earlier, the next burst would come in. */
const needlessMs = 1_000;
/** What the limit grows by in a second without a sign of a crowd: it has no step at which a burst could come in. */
const growth = 1.1;

export interface Bounds {
  /** The limit is never lower. */
  readonly least: number;
  /** The limit is never higher. */
  readonly most: number;
}

/**
 * Limits the requests in progress while the database is crowded: at most as many as were answered in 100 ms lately, so that
 * an admitted request waits for about that long (Little's law). Further requests are refused before Express sees them. A
 * refusal has to be cheap: at twice the capacity, every other answer is one. The limit is low because many requests at a
 * time cost more than few: what they allocate lives long enough to be copied by the garbage collector.
 *
 * Requests that wait for one shared value, or for a cache, do not crowd the database. A request counts from when its body has
 * arrived until its answer is complete: slow clients do not count.
 * @param isUnlimited addresses that are always answered: health, metrics, admin, event streams
 * @see Nygard, "Release It!", 2018: bulkheads, load shedding
 */
export function bulkhead(
  { least, most }: Bounds,
  isCrowded: () => boolean,
  isUnlimited: (url: string) => boolean,
  nowMs = () => performance.now(),
): RequestHandler {
  const running = new Set<ServerResponse>();
  const pace = new Pace(nowMs);
  let crowdedAtMs = Number.NEGATIVE_INFINITY;
  let refusedAtMs = Number.NEGATIVE_INFINITY;
  const limit = () => {
    const now = nowMs();
    if (isCrowded()) crowdedAtMs = now;
    else if (now - refusedAtMs > needlessMs) return Infinity;
    const grown = Math.max(least, (pace.perSecond * workMs) / 1_000) * growth ** ((now - crowdedAtMs) / 1_000);
    if (grown < most) return Math.floor(grown);
    return crowdedAtMs === now ? most : Infinity;
  };
  const isFull = () => {
    if (running.size < least || running.size < limit()) return false;
    refusedAtMs = nowMs();
    return true;
  };
  return (req, res) => {
    if (isUnlimited(req.url!)) return false;
    if (isFull()) {
      refuse(req, res, 503, 'More is being asked than can be answered now.', retryAfterMs);
      return true;
    }
    const begin = () => !res.writableEnded && !res.closed && running.add(res);
    const end = () => running.delete(res);
    begin();
    if (withBody.test(req.method!)) setImmediate(untilRead, req, begin, end);
    // Emitted by Node's `end()`: the answer is complete.
    res.once('prefinish', end);
    res.once('close', () => {
      end();
      // Requests that failed later, or that their clients gave up, say nothing about what can be answered.
      if (res.writableEnded && res.statusCode < 500) pace.count();
    });
    return false;
  };
}

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
