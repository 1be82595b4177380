import { type ServerResponse } from 'node:http';
import { type Taker } from './in-front.js';
import { refuse } from './refuse.js';

/** Whose bodies are read. */
const withBody = /^(?:POST|PUT|PATCH)$/;
const retryAfterMs = 1_000;

export interface Bounds {
  /** So many requests are worked on at the same time in any case. */
  readonly least: number;
  /** So many at most, while it is crowded. */
  readonly most: number;
}

/**
 * While it is crowded behind it, no more requests are worked on at the same time than were answered in a second lately:
 * by Little's law, nobody who is admitted then waits for much longer than a second. Whoever comes beyond that is refused
 * before Express is entered. At twice the rate that can be worked on every other answer is a refusal: those have to be
 * cheap, else the process is busy with refusing and everybody waits. Many who wait for one value, or for a cache, are no
 * crowd. A client that is slow to send its body, or to take its answer, is not worked for meanwhile.
 * @param isUnlimited whoever runs the service must be told also when nobody else is; streams of a page last for ever
 * @see Nygard, "Release It!", 2018: bulkheads, load shedding
 */
export function bulkhead(
  { least, most }: Bounds,
  isCrowded: () => boolean,
  isUnlimited: (url: string) => boolean,
  nowMs = () => performance.now(),
): Taker {
  const running = new Set<ServerResponse>();
  const pace = new Pace(nowMs);
  const isFull = () => {
    if (running.size < least || !isCrowded()) return false;
    const limit = Math.min(most, Math.max(least, pace.perSecond));
    if (running.size < limit) return false;
    for (const res of running) if (res.writableEnded) running.delete(res);
    return running.size >= limit;
  };
  return (req, res) => {
    if (isUnlimited(req.url!)) return false;
    if (isFull()) {
      refuse(req, res, 503, 'More is being asked than can be answered now.', retryAfterMs);
      return true;
    }
    const begin = () => !res.closed && running.add(res);
    if (withBody.test(req.method!)) req.once('end', begin);
    else begin();
    res.once('close', () => {
      running.delete(res);
      // What was refused further behind, or given up by its client, is no sign that more can be answered.
      if (res.writableEnded && res.statusCode < 500) pace.count();
    });
    return false;
  };
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
