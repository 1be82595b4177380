import { type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Settings } from './config/index.js';
import { endGracefully } from './end-gracefully.js';
import { Lifecycle } from './http/index.js';
import { createApp } from './server.js';
import { WarmingAtBoot } from './warming/index.js';

/**
 * Boots and listens, until the node is ready.
 * @returns its URL; undefined where it was told to end before it was ready
 */
export async function serve(settings: Settings): Promise<string | undefined> {
  const app = await createApp(settings);
  const server: Server = app.getHttpServer();
  endGracefully(app, settings);
  await listen(server, settings);
  await app.get(WarmingAtBoot).run();
  // Told to end meanwhile: that is under way.
  if (app.get(Lifecycle).draining.aborted) return undefined;
  app.get(Lifecycle).become('ready');
  return urlOf(server.address() as AddressInfo);
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
