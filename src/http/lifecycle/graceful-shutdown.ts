import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Server, type ServerResponse } from 'node:http';
import { Server as TcpServer } from 'node:net';
import { Lifecycle } from './lifecycle.js';

export interface DrainOptions {
  /** How long readiness says 503 while new connections are still accepted, in milliseconds. */
  readonly delayMs: number;
  /** How long running requests may take to finish, in milliseconds. */
  readonly timeoutMs: number;
}

/** How long a kept connection may still bring a request, which is answered and told that it is the last. */
const lastRequestMs = 200;

/**
 * Ends the server's work without cutting anyone off before the deadline. Answers that are written as soon as they are asked
 * for (the fast lane's) are never running, and are no longer given that way once the server has stopped to listen.
 */
@Injectable()
export class GracefulShutdown implements OnModuleInit {
  private readonly running = new Set<ServerResponse>();
  /** How many requests have been read and wait for their turn: to Node their connections look idle in between. */
  waiting: () => number = () => 0;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly lifecycle: Lifecycle,
  ) {}

  onModuleInit(): void {
    this.server.prependListener('request', (_req, res: ServerResponse) => {
      this.running.add(res);
      if (!this.server.listening) lastOnItsConnection(res);
      res.once('close', () => this.running.delete(res));
    });
  }

  /** Resolves when no connection is left. */
  async drain({ delayMs, timeoutMs }: DrainOptions): Promise<void> {
    this.lifecycle.drain();
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    // Not `close` of the HTTP server: it resets idle connections, and with them the requests that are on their way there.
    const closed = new Promise<void>((resolve) => TcpServer.prototype.close.call(this.server, () => resolve()));
    for (const res of this.running) lastOnItsConnection(res);
    // What came in while this process was busy is read before its connection is held to be idle.
    const closeIdle = (): unknown => setImmediate(() => this.waiting() > 0 || this.server.closeIdleConnections());
    const idle = setInterval(closeIdle, lastRequestMs);
    const deadline = setTimeout(() => this.server.closeAllConnections(), timeoutMs);
    await closed;
    clearInterval(idle);
    clearTimeout(deadline);
  }

  private get server(): Server {
    return this.host.httpAdapter.getHttpServer() as Server;
  }
}

function lastOnItsConnection(res: ServerResponse): void {
  if (!res.headersSent) res.setHeader('Connection', 'close');
}
