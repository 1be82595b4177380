import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';

/** INFO without `run_id` and `master_replid`, as of some compatible servers. */
const nameless = (text: string) => text.replace(/\n(run_id|master_replid):/g, (name) => name.replace(/[a-z]/g, 'x'));

/** A way to Redis on which its replies are others. @param mask must leave as many bytes: a reply says how long it is */
export async function maskIdentity(
  port: number,
  mask: (text: string) => string = nameless,
): Promise<{ readonly url: string; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const redis = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
    client.pipe(redis);
    redis.on('data', (chunk) => client.write(Buffer.from(mask(chunk.toString('latin1')), 'latin1')));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
