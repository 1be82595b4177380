import { Logger } from '@nestjs/common';
import { type Server } from 'node:http';
import { type Socket } from 'node:net';
import { networkOf } from './client-network.js';
import { runningOn, takenBy } from './server-socket.js';

/** Times in ms. */
export interface ConnectionBounds {
  /** For the head of a request. */
  readonly headMs: number;
  /** For the whole of a request. */
  readonly requestMs: number;
  /** Between two requests: longer than balancers keep their connections. */
  readonly idleMs: number;
  /** How long a client may take nothing of an answer. */
  readonly stalledMs: number;
  /** How often the above is checked. */
  readonly checkMs: number;
  /** Open connections. */
  readonly limit: number;
}

export const ordinaryBounds: ConnectionBounds = {
  headMs: 10_000,
  requestMs: 30_000,
  idleMs: 65_000,
  stalledMs: 5_000,
  checkMs: 1_000,
  limit: 10_000,
};

/** How often the log says that connections are closed for want of room. */
const warnEveryMs = 60_000;

/**
 * Bounds what connections may cost, whatever their clients do: a client that sends its request a byte at a time, or none at
 * all (Slowloris), or does not read its answer, loses its connection; and so many connections may be open. To be called
 * before the server listens.
 */
export function boundConnections(server: Server, bounds: ConnectionBounds = ordinaryBounds): void {
  server.headersTimeout = bounds.headMs;
  server.requestTimeout = bounds.requestMs;
  server.keepAliveTimeout = bounds.idleMs;
  // An option of `createServer`, kept under its name until the server listens.
  Object.assign(server, { connectionsCheckingInterval: bounds.checkMs });
  limitConnections(server, bounds.limit);
  closeStalled(server, bounds);
}

/**
 * Beyond the limit, the network with the most connections gives up its oldest idle one. So whoever opens very many displaces
 * its own, and anyone else still gets in: a probe, too. Where a network has the most and none of them is idle, its newest is
 * closed for its own sake, and its oldest for another's.
 */
function limitConnections(server: Server, limit: number): void {
  const logger = new Logger('Http');
  const byNetwork = new Map<string, Set<Socket>>();
  let open = 0;
  let warnedAtMs = Number.NEGATIVE_INFINITY;

  const makeRoom = (newest: Socket): void => {
    const [network, largest] = [...byNetwork].reduce((most, other) => (other[1].size > most[1].size ? other : most));
    const left = [...largest].filter((socket) => !socket.destroyed);
    const idle = left.find((socket) => socket !== newest && !runningOn(socket));
    const [oldest = newest] = left;
    (idle ?? (largest.has(newest) ? newest : oldest)).destroy();
    if (performance.now() - warnedAtMs < warnEveryMs) return;
    warnedAtMs = performance.now();
    logger.warn(
      `more than ${limit} connections (MAX_CONNECTIONS): closing some of ${network}, which has ${largest.size}`,
    );
  };

  server.on('connection', (socket: Socket) => {
    const network = networkOf(socket.remoteAddress);
    const sockets = byNetwork.get(network) ?? new Set();
    byNetwork.set(network, sockets.add(socket));
    open += 1;
    socket.once('close', () => {
      open -= 1;
      sockets.delete(socket);
      if (sockets.size === 0) byNetwork.delete(network);
    });
    if (open > limit) makeRoom(socket);
  });
}

/** Closes connections whose clients take nothing of what there is to be sent, also if they go on sending. */
function closeStalled(server: Server, { stalledMs, checkMs }: ConnectionBounds): void {
  const sockets = new Map<Socket, { taken: number | undefined; checks: number }>();
  const check = (): void => {
    for (const [socket, last] of sockets) {
      const taken = takenBy(socket);
      // Checks are counted, not time: whatever time this process stood still, no client could take anything.
      last.checks = taken === undefined || taken !== last.taken ? 0 : last.checks + 1;
      last.taken = taken;
      if (last.checks * checkMs >= stalledMs) socket.destroy();
    }
  };
  server.on('connection', (socket: Socket) => {
    sockets.set(socket, { taken: undefined, checks: 0 });
    socket.once('close', () => sockets.delete(socket));
  });
  let timer: NodeJS.Timeout | undefined;
  server.on('listening', () => (timer = setInterval(check, checkMs).unref()));
  server.on('close', () => clearInterval(timer));
}
