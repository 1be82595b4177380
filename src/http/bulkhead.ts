import { type ServerResponse } from 'node:http';
import { type Taker } from './in-front.js';
import { refuse } from './refuse.js';

/** Whose bodies are read. */
const withBody = /^(?:POST|PUT|PATCH)$/;
const retryAfterMs = 1_000;

/**
 * While it is crowded behind it, so many requests are worked on at the same time; whoever comes then is refused before
 * Express is entered. At twice the rate that can be worked on every other answer is a refusal: those have to be cheap, else
 * the process is busy with refusing and everybody waits. Many who wait for one value, or for a cache, are no crowd. A client
 * that is slow to send its body, or to take its answer, is not worked for meanwhile.
 * @param isUnlimited whoever runs the service must be told also when nobody else is; streams of a page last for ever
 * @see Nygard, "Release It!", 2018: bulkheads, load shedding
 */
export function bulkhead(limit: number, isCrowded: () => boolean, isUnlimited: (url: string) => boolean): Taker {
  const running = new Set<ServerResponse>();
  const isFull = () => {
    if (running.size < limit || !isCrowded()) return false;
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
    res.once('close', () => running.delete(res));
    return false;
  };
}
