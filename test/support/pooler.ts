import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';

export interface Pooler {
  /** Of the same database, through the pooler. */
  readonly through: (databaseUrl: string) => string;
  readonly stop: () => Promise<void>;
}

/** Codes in the place of a protocol version (PostgreSQL manual, 53.7). */
const cancelRequest = 80_877_102;
const sslRequest = 80_877_103;
const allowed = new Set(['user', 'database', 'application_name', 'client_encoding']);

interface Key {
  readonly processId: number;
  readonly secret: number;
}

/**
 * What a client notices of PgBouncer in transaction mode, without PgBouncer: unknown startup parameters are refused, process
 * ids are made up, a cancellation is passed on. Notes every statement: none may need what belongs to a session.
 */
export class StandInPooler implements Pooler {
  readonly statements: string[] = [];
  /** Names of prepared statements. */
  readonly names: string[] = [];
  readonly #keys = new Map<string, Key>();
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((client) => this.#accept(client));

  private constructor(private readonly upstreamPort: number) {}

  static async before(databaseUrl: string): Promise<StandInPooler> {
    const pooler = new StandInPooler(Number(new URL(databaseUrl).port));
    pooler.#server.listen(0, '127.0.0.1');
    await once(pooler.#server, 'listening');
    return pooler;
  }

  readonly through = (databaseUrl: string): string => {
    const url = new URL(databaseUrl);
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  };

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    this.#hold(client);
    messages(client, false, (message) => {
      const code = message.readInt32BE(4);
      if (code === sslRequest) return void client.write('N');
      if (code === cancelRequest) {
        this.#cancel(`${message.readInt32BE(8)} ${message.readInt32BE(12)}`);
        return void client.end();
      }
      const names = message.toString('latin1', 8).split('\0');
      const unknown = names.find((name, at) => at % 2 === 0 && name !== '' && !allowed.has(name));
      if (unknown === undefined) this.#connect(client, message);
      else client.end(fatal(`unsupported startup parameter: ${unknown}`));
    });
  }

  #connect(client: Socket, startup: Buffer): void {
    const server = this.#hold(connect(this.upstreamPort, '127.0.0.1'));
    server.write(startup);
    messages(server, true, (message) => {
      client.write(String.fromCharCode(message[0]!) === 'K' ? this.#withOwnKey(message) : message);
    });
    messages(client, true, (message) => {
      const type = String.fromCharCode(message[0]!);
      const [first = '', second = ''] = message.toString('utf8', 5).split('\0');
      if (type === 'Q') this.statements.push(first);
      if (type === 'P') this.statements.push(second);
      if (type === 'P' && first !== '') this.names.push(first);
      server.write(message);
    });
    client.once('close', () => server.destroy());
    server.once('close', () => client.destroy());
  }

  #withOwnKey(message: Buffer): Buffer {
    const real = { processId: message.readInt32BE(5), secret: message.readInt32BE(9) };
    const own = { processId: randomInt(2 ** 31), secret: randomInt(2 ** 31) };
    this.#keys.set(`${own.processId} ${own.secret}`, real);
    message.writeInt32BE(own.processId, 5);
    message.writeInt32BE(own.secret, 9);
    return message;
  }

  #cancel(key: string): void {
    const real = this.#keys.get(key);
    if (!real) return;
    const request = Buffer.alloc(16);
    [16, cancelRequest, real.processId, real.secret].forEach((value, at) => request.writeInt32BE(value, 4 * at));
    this.#hold(connect(this.upstreamPort, '127.0.0.1')).end(request);
  }

  #hold(socket: Socket): Socket {
    this.#sockets.add(socket.setNoDelay());
    return socket.once('close', () => this.#sockets.delete(socket)).on('error', () => undefined);
  }
}

/** Calls back with each message, whole. @param typed whether a byte for its type precedes the length */
function messages(socket: Socket, typed: boolean, hear: (message: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  const prefix = Number(typed);
  const read = (chunk: Buffer): void => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= prefix + 4 && rest.length >= prefix + rest.readInt32BE(prefix)) {
      const end = prefix + rest.readInt32BE(prefix);
      const message = rest.subarray(0, end);
      rest = rest.subarray(end);
      hear(Buffer.from(message));
      // What follows the startup message has types.
      if (!typed && message.readInt32BE(4) !== sslRequest) {
        socket.off('data', read);
        if (rest.length > 0) socket.unshift(rest);
        return;
      }
    }
  };
  socket.on('data', read);
}

function fatal(text: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C08P01\0M${text}\0\0`);
  const head = Buffer.from('E\0\0\0\0');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
