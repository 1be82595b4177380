import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';

/** A way to Redis on which INFO has neither `run_id` nor `master_replid`, as on some compatible servers. */
export async function maskIdentity(port: number): Promise<{ readonly url: string; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const redis = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
    client.pipe(redis);
    redis.on('data', (chunk) => {
      // As many bytes as before: the reply says how long it is.
      const text = chunk
        .toString('latin1')
        .replace(/\n(run_id|master_replid):/g, (name) => name.replace(/[a-z]/g, 'x'));
      client.write(Buffer.from(text, 'latin1'));
    });
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
