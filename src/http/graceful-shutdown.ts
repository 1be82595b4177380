import { type Server, type ServerResponse } from 'node:http';
import { type Lifecycle } from './lifecycle.js';

export interface DrainOptions {
  /** How long readiness says 503 while new connections are still accepted, in milliseconds. */
  readonly delayMs: number;
  /** How long running requests may take to finish, in milliseconds. */
  readonly timeoutMs: number;
}

/** Ends a server's work without cutting anyone off before the deadline. Create it before the server listens. */
export class GracefulShutdown {
  private readonly running = new Set<ServerResponse>();

  constructor(
    private readonly server: Server,
    private readonly lifecycle: Lifecycle,
  ) {
    server.prependListener('request', (_req, res: ServerResponse) => {
      this.running.add(res);
      if (!this.server.listening) lastOnItsConnection(res);
      res.once('close', () => this.running.delete(res));
    });
  }

  /** Resolves when no connection is left. */
  async drain({ delayMs, timeoutMs }: DrainOptions): Promise<void> {
    this.lifecycle.drain();
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const res of this.running) lastOnItsConnection(res);
    const deadline = setTimeout(() => this.server.closeAllConnections(), timeoutMs);
    await closed;
    clearTimeout(deadline);
  }
}

function lastOnItsConnection(res: ServerResponse): void {
  if (!res.headersSent) res.setHeader('Connection', 'close');
}
