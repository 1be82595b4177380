import { EventEmitter } from 'node:events';
import { type RedisClient } from '../../../src/cache/levels/l2/redis-client.js';
import { Connection, type Peer } from './connection.js';
import { type RedisServer } from './redis-server.js';
import { type Steps } from './steps.js';

interface ScriptCall {
  readonly keys: readonly string[];
  readonly arguments: readonly string[];
}

const short = (key: string): string => key.replace(/^strata:sim:(?:[\w-]+:(?:tag:|v1:))?/, '');

/** A node-redis client, as far as the product uses it: one life of one connection to the simulated server. */
class SimulatedClient extends EventEmitter {
  readonly #connection: Connection;

  constructor(
    node: Peer,
    steps: Steps,
    private readonly server: RedisServer,
    private readonly nameOf: (textOrSha: string) => string,
  ) {
    super();
    this.#connection = new Connection(node, steps, (error) => {
      if (error) this.emit('error', error);
      this.emit('end');
    });
    server.accept(this.#connection);
  }

  connect(): Promise<void> {
    return this.#connection.request('connect', () => undefined);
  }

  disconnect(): Promise<void> {
    if (!this.#connection.open) return Promise.reject(new Error('The client is closed'));
    this.#connection.close();
    this.emit('end');
    return Promise.resolve();
  }

  /** The simulated server knows every script. */
  scriptLoad(): Promise<string> {
    return Promise.resolve('');
  }

  evalSha(sha: string, call: ScriptCall): Promise<unknown> {
    const label = () => `${this.nameOf(sha)} ${call.keys.slice(1).map(short).join(' ')}`;
    return this.#connection.request(label, () => this.server.script(sha, call.keys, call.arguments));
  }

  eval(text: string, call: ScriptCall): Promise<unknown> {
    return this.evalSha(text, call);
  }

  hGetAll(key: string): Promise<Record<string, string>> {
    return this.#connection.request(`HGETALL ${short(key)}`, () => this.server.hash(key));
  }

  info(): Promise<string> {
    return this.#connection.request('INFO', () => this.server.info());
  }

  ping(): Promise<string> {
    return this.#connection.request('PING', () => 'PONG');
  }

  publish(channel: string, message: string): Promise<number> {
    return this.#connection.request(`PUBLISH ${channel}`, () => {
      this.server.publish(channel, message);
      return 1;
    });
  }

  subscribe(channels: string | string[], tell: (message: string, channel: string) => void): Promise<void> {
    return this.#connection.request('SUBSCRIBE', () =>
      this.server.subscribe(this.#connection, [channels].flat(), tell),
    );
  }
}

/** Whatever the product may come to ask that is not simulated fails loudly. */
export function simulatedClient(
  node: Peer,
  steps: Steps,
  server: RedisServer,
  nameOf: (textOrSha: string) => string,
): RedisClient {
  const client = new SimulatedClient(node, steps, server, nameOf);
  return new Proxy(client, {
    get: (target, name) => {
      const value = Reflect.get(target, name, target) as unknown;
      if (value === undefined && name !== 'then') throw new Error(`the simulated Redis has no ${String(name)}`);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  }) as unknown as RedisClient;
}
