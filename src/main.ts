import 'reflect-metadata';
import cluster from 'node:cluster';
import { type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { ConfigurationError, loadSettings, type Settings } from './config/index.js';
import { endGracefully, endsWithinMs } from './end-gracefully.js';
import { Lifecycle } from './http/index.js';
import { createLogger, NestLogger, withoutPasswords } from './logging/index.js';
import { createApp } from './server.js';
import { WarmingAtBoot } from './warming/index.js';
import { Primary } from './workers/index.js';

try {
  const settings = loadSettings();
  await (cluster.isPrimary && settings.webConcurrency > 1 ? above(settings) : main(settings));
} catch (error) {
  console.error(explain(error));
  process.exit(1);
}

/** The process above several of them. */
async function above(settings: Settings): Promise<void> {
  const logger = new NestLogger(createLogger({ level: settings.logLevel }));
  const { webConcurrency: workers } = settings;
  // A worker's own deadline comes first: it says what it has not finished.
  const options = { workers, endsWithinMs: endsWithinMs(settings) + 1_000, logger, onReady: announce };
  process.exit(await new Primary(options).run());
}

async function main(settings: Settings): Promise<void> {
  const app = await createApp(settings);
  const server: Server = app.getHttpServer();
  endGracefully(app, settings);
  await listen(server, settings);
  await app.get(WarmingAtBoot).run();
  // Told to end meanwhile: that is under way.
  if (app.get(Lifecycle).draining.aborted) return;
  app.get(Lifecycle).become('ready');
  announce(urlOf(server.address() as AddressInfo));
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

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** A parent that started this process over IPC prints the line itself, with what else it knows. */
function announce(url: string): void {
  if (process.send) process.send({ type: 'ready', url });
  else console.log(`ready url=${url}`);
}

function explain(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message;
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `port ${port} is taken: set PORT to another one, or to 0 for any free one`;
  return `the service cannot start: ${withoutPasswords(error.message || String(code))}`;
}
