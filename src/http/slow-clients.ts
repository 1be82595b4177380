import { type Server } from 'node:http';

/** All in ms. */
export interface ClientBounds {
  /** For the head of a request. */
  readonly headMs: number;
  /** For the whole of it. */
  readonly requestMs: number;
  /** Between two requests: longer than balancers keep their connections. */
  readonly idleMs: number;
  /** How often it is looked after. */
  readonly checkMs: number;
}

const ordinary: ClientBounds = { headMs: 10_000, requestMs: 30_000, idleMs: 65_000, checkMs: 1_000 };

/**
 * A client that sends its request a byte at a time, or none at all, does not hold its connection for long (Slowloris). To be
 * said before the server listens.
 */
export function boundSlowClients(
  server: Server,
  { headMs, requestMs, idleMs, checkMs }: ClientBounds = ordinary,
): void {
  server.headersTimeout = headMs;
  server.requestTimeout = requestMs;
  server.keepAliveTimeout = idleMs;
  // An option of `createServer`, kept under its name until the server listens.
  Object.assign(server, { connectionsCheckingInterval: checkMs });
}
