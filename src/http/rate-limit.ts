import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { type Taker } from './in-front.js';
import { problemOf } from './problem.js';

/** So many addresses are remembered; whoever comes back after that begins anew. */
const addresses = 100_000;

/** Whoever watches the service is not a client of it. */
const exempt = /^\/(?:health|metrics)(?:[/?]|$)/;

/**
 * So many requests a minute from one client address, hits of the fast lane included: a token bucket each, full at first.
 * Of an IPv6 address, the network counts that a household or a machine is given. The address is the connection's: behind a
 * proxy, which all requests come from, the proxy is the place to limit them.
 */
export function rateLimit(perMinute: number, nowMs: () => number): Taker {
  const buckets = new LRUCache<string, { tokens: number; atMs: number }>({ max: addresses });
  const perMs = perMinute / 60_000;
  return (req, res) => {
    if (exempt.test(req.url!)) return false;
    const client = clientOf(req.socket.remoteAddress ?? '');
    const atMs = nowMs();
    const bucket = buckets.get(client);
    const tokens = bucket ? Math.min(perMinute, bucket.tokens + (atMs - bucket.atMs) * perMs) : perMinute;
    const admitted = tokens >= 1;
    buckets.set(client, { tokens: admitted ? tokens - 1 : tokens, atMs });
    if (admitted) return false;
    const body = JSON.stringify(problemOf(429, `No more than ${perMinute} requests a minute, please.`));
    res.writeHead(429, {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      'Content-Length': Buffer.byteLength(body),
      'Retry-After': Math.max(1, Math.ceil((1 - tokens) / perMs / 1_000)),
    });
    res.end(req.method === 'HEAD' ? undefined : body);
    return true;
  };
}

function clientOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv6' ? (parsed as ipaddr.IPv6).parts.slice(0, 4).join(':') : parsed.toString();
}
