import { networkOf } from './client-network.js';
import { type RequestHandler } from '../prepend-request-handler.js';
import { refuse } from './refuse.js';
import { TokenBuckets } from './token-buckets.js';

/** How many addresses are remembered; a forgotten address starts with a full bucket. */
const addresses = 100_000;

/**
 * So many requests a minute from one client address, hits of the fast lane included: a token bucket each, full at first.
 * Of an IPv6 address, the network counts that a household or a machine is given. The address is the connection's: behind a
 * proxy, which all requests come from, the proxy is the place to limit them.
 * @param isUnlimited whoever watches the service is not a client of it
 */
export function rateLimit(
  perMinute: number,
  nowMs: () => number,
  isUnlimited: (url: string) => boolean,
): RequestHandler {
  const buckets = new TokenBuckets(perMinute, 60_000, addresses);
  return (req, res) => {
    if (isUnlimited(req.url!)) return false;
    const waitMs = buckets.take(networkOf(req.socket.remoteAddress), nowMs());
    if (waitMs === 0) return false;
    refuse(req, res, 429, `No more than ${perMinute} requests a minute, please.`, waitMs);
    return true;
  };
}
