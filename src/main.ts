import 'reflect-metadata';
import { type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { ConfigurationError, loadSettings, type Settings } from './config/index.js';
import { endGracefully } from './end-gracefully.js';
import { Lifecycle } from './http/index.js';
import { withoutPasswords } from './logging/index.js';
import { createApp } from './server.js';
import { WarmingAtBoot } from './warming/index.js';

try {
  await main(loadSettings());
} catch (error) {
  console.error(explain(error));
  process.exit(1);
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

function explain(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message;
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `port ${port} is taken: set PORT to another one, or to 0 for any free one`;
  return `the service cannot start: ${withoutPasswords(error.message || String(code))}`;
}
