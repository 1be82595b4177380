import 'reflect-metadata';
import { type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { ConfigurationError, loadSettings, type Settings } from './config/index.js';
import { GracefulShutdown, Lifecycle } from './http/index.js';
import { withoutPasswords } from './logging/index.js';
import { createApp } from './server.js';
import { WarmingAtBoot } from './warming/index.js';

/** How long closing connections to PostgreSQL and Redis may take after the requests are done. */
const closeTimeoutMs = 5_000;

try {
  await main(loadSettings());
} catch (error) {
  console.error(explain(error));
  process.exit(1);
}

async function main(settings: Settings): Promise<void> {
  const app = await createApp(settings);
  const server: Server = app.getHttpServer();
  exitOnSignal(app, app.get(GracefulShutdown), settings);
  await listen(server, settings);
  await app.get(WarmingAtBoot).run();
  app.get(Lifecycle).become('ready');
  announce(server.address() as AddressInfo);
}

/** Not `app.listen`: that would log the fault which is about to be explained. */
function listen(server: Server, { port, host }: Settings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** A parent that started this process over IPC prints the line itself, with what else it knows. */
function announce({ address, family, port }: AddressInfo): void {
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  if (process.send) process.send({ type: 'ready', url });
  else console.log(`ready url=${url}`);
}

/** The first signal drains, a second one or the deadline ends the process at once. */
function exitOnSignal(app: NestExpressApplication, shutdown: GracefulShutdown, settings: Settings): void {
  let leaving = false;
  const leave = () => {
    if (leaving) process.exit(1);
    leaving = true;
    const { drainDelayMs: delayMs, drainTimeoutMs: timeoutMs } = settings;
    setTimeout(() => process.exit(1), delayMs + timeoutMs + closeTimeoutMs).unref();
    shutdown
      .drain({ delayMs, timeoutMs })
      .then(() => app.close())
      .then(() => process.exit(0))
      .catch((error: unknown) => {
        console.error(explain(error));
        process.exit(1);
      });
  };
  process.on('SIGTERM', leave).on('SIGINT', leave);
  process.once('disconnect', () => leaving || leave()); // the parent is gone
}

function explain(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message;
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `port ${port} is taken: set PORT to another one, or to 0 for any free one`;
  return `the service cannot start: ${withoutPasswords(error.message || String(code))}`;
}
