import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type RequestHandler } from './prepend-request-handler.js';
import { refuse } from './refuse.js';

/** Whose bodies are read. */
const withBody = /^(?:POST|PUT|PATCH)$/;
const retryAfterMs = 1_000;
/** So much work is admitted, in ms, while it is crowded. */
const workMs = 150;
/** The limit holds until nobody has been refused for so long, in ms: lifted earlier, it lets a burst in before it is seen. */
const needlessMs = 1_000;
/** It holds for so long at most, in ms, without another sign of a crowd. */
const longestMs = 10_000;

export interface Bounds {
  /** So many requests are worked on at the same time in any case. */
  readonly least: number;
  /** So many at most, while it is crowded. */
  readonly most: number;
}

/**
 * While it is crowded behind it, no more requests are worked on at the same time than were answered in 150 ms
 * lately: by Little's law, whoever is admitted then waits for about as long. At twice the rate that can be worked on
 * every other answer is a refusal: those have to be cheap, hence in front of Express, else the process is busy with
 * refusing. Many at a time cost more than few: what they hold lives long enough to be copied by the garbage collector.
 * Many who wait for one value, or for a cache, are no crowd. A client that is slow to send its body, or to take its answer,
 * is not worked for meanwhile.
 * @param isUnlimited whoever runs the service must be told also when nobody else is; streams of a page last for ever
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
  const isLimited = () => {
    const now = nowMs();
    if (isCrowded()) crowdedAtMs = now;
    return crowdedAtMs === now || (now - refusedAtMs < needlessMs && now - crowdedAtMs < longestMs);
  };
  const isFull = () => {
    if (running.size < least || !isLimited()) return false;
    if (running.size < Math.min(most, Math.max(least, (pace.perSecond * workMs) / 1_000))) return false;
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
    // Of Node's `end()`: nothing of the answer is left to be made.
    res.once('prefinish', end);
    res.once('close', () => {
      end();
      // What was refused further behind, or given up by its client, is no sign that more can be answered.
      if (res.writableEnded && res.statusCode < 500) pace.count();
    });
    return false;
  };
}

/** A body that has not come with its head is waited for, and nothing is worked on meanwhile. */
function untilRead(req: IncomingMessage, begin: () => void, end: () => void): void {
  if (req.complete) return;
  end();
  req.once('end', begin);
}

/** How much happens in a second: the more of this second and the one before it. */
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
