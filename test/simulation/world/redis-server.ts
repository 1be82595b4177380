import { generationChannel, recordKey } from '../../../src/cache/levels/l2/keys.js';
import { type ScriptName, scripts } from '../../../src/cache/levels/l2/scripts.js';
import { MemoryRedis, ScriptRefusal } from '../memory-redis.js';
import { type Connection } from './connection.js';
import { type Steps } from './steps.js';
import { type VirtualTime } from './virtual-time.js';

/** Of the nodes' one service. */
export const namespace = 'sim';

type Subscriber = (message: string, channel: string) => void;

const nameOf = new Map(
  Object.entries(scripts).flatMap(([name, { text, sha }]) => [
    [text, name as ScriptName],
    [sha, name as ScriptName],
  ]),
);

/** What node-redis throws for an error that the server answered. */
class ErrorReply extends Error {}

/** One Redis server: the scripts of {@link MemoryRedis}, a few plain commands, channels, and an identity. */
export class RedisServer {
  readonly #connections = new Set<Connection>();
  readonly #subscribers = new Map<Connection, { readonly channels: readonly string[]; readonly tell: Subscriber }>();
  /** Who is installing a generation. */
  #init: { readonly nonce: string; readonly untilMs: number } | undefined;
  #identities: Record<string, string> = {};
  /** By generation and node. */
  readonly #counts = new Map<string, number>();
  #life = 1;
  readonly memory: MemoryRedis;

  constructor(
    private readonly time: VirtualTime,
    private readonly steps: Steps,
    /** Told the name, keys and arguments of each script that was executed. */
    private readonly executed: (name: ScriptName, keys: readonly string[], args: readonly string[]) => void,
  ) {
    this.memory = new MemoryRedis(
      () => time.wallMs(),
      (channel, message) => this.publish(channel, message),
    );
  }

  accept(connection: Connection): void {
    this.#connections.add(connection);
  }

  subscribe(connection: Connection, channels: readonly string[], tell: Subscriber): void {
    connection.path = 'bus';
    this.#subscribers.set(connection, { channels, tell });
  }

  publish(channel: string, message: string): void {
    for (const [connection, { channels, tell }] of this.#subscribers) {
      if (!connection.open) this.#subscribers.delete(connection);
      else if (channels.includes(channel))
        connection.push(
          () => `${connection.node.name} <- ${channel.replace(`strata:${namespace}:`, '')} ${message}`,
          () => tell(message, channel),
        );
    }
  }

  connections(of: (connection: Connection) => boolean): Connection[] {
    for (const connection of this.#connections) if (!connection.open) this.#connections.delete(connection);
    return [...this.#connections].filter(of);
  }

  script(textOrSha: string, keys: readonly string[], args: readonly string[]): unknown {
    const name = nameOf.get(textOrSha);
    if (!name) throw new ErrorReply('NOSCRIPT No matching script');
    if (name === 'claimGeneration') return this.#claim(args);
    if (name === 'installGeneration') return this.#install(args);
    if (name === 'holdClaim') return this.#hold(args);
    if (name === 'tryCommands') return [];
    if (name === 'prove') return this.#prove(args);
    try {
      const reply = this.memory.run(args[0]!, name, keys.slice(1), args.slice(1));
      this.executed(name, keys.slice(1), args.slice(1));
      return reply;
    } catch (error) {
      throw error instanceof ScriptRefusal ? new ErrorReply(error.message) : error;
    }
  }

  hash(key: string): Record<string, string> {
    if (key !== recordKey(namespace) || this.memory.gen === undefined) return {};
    return { gen: this.memory.gen, epoch: String(this.memory.beginning.epoch), ...this.#identities };
  }

  info(): string {
    return `run_id:run-${this.#life}\r\nmaster_replid:replid-${this.#life}\r\nmaxmemory_policy:noeviction\r\n`;
  }

  /** FLUSHALL: connections stay. */
  flush(): void {
    this.memory.flush();
    this.#init = undefined;
  }

  /** Another process: every connection breaks, the identity is a new one, the data may be there again. */
  restart(keepingData: boolean): void {
    this.#life += 1;
    if (!keepingData) this.flush();
    for (const connection of this.connections(() => true)) connection.cut(true);
  }

  #claim([nonce = '', ttlMs, previous = '', channel = '']: readonly string[]): number {
    if ((this.memory.gen ?? '') !== previous || this.#initiator() !== undefined) return 0;
    this.#init = { nonce, untilMs: this.time.monotonicMs() + Number(ttlMs) };
    this.memory.gen = undefined;
    this.publish(channel, `!${previous}`);
    return 1;
  }

  #prove([gen = '', node = '', least, count]: readonly string[]): number {
    if (gen !== this.memory.gen) throw new ErrorReply('EPOCHCHANGED the data set has another generation');
    const key = `${gen} ${node}`;
    const counted = this.#counts.get(key) ?? 0;
    if (counted < Number(least)) {
      this.memory.gen = undefined;
      throw new ErrorReply('EPOCHCHANGED the data set has gone back');
    }
    this.#counts.set(key, Math.max(counted, Number(count)));
    return 1;
  }

  #hold([nonce = '', ttlMs]: readonly string[]): number {
    if (this.#initiator() !== nonce) return 0;
    this.#init = { nonce, untilMs: this.time.monotonicMs() + Number(ttlMs) };
    return 1;
  }

  #initiator(): string | undefined {
    return this.#init && this.#init.untilMs > this.time.monotonicMs() ? this.#init.nonce : undefined;
  }

  #install(args: readonly string[]): number {
    const [nonce, gen = '', epoch, , ...identities] = args;
    if (this.#initiator() !== nonce) return 0;
    this.#init = undefined;
    this.memory.gen = gen;
    this.memory.bornMs = this.time.wallMs();
    this.#identities = {};
    for (let i = 0; i < identities.length; i += 2) this.#identities[identities[i]!] = identities[i + 1]!;
    const writers = (this.#identities['writers']?.match(/\d+/g) ?? []).map(Number);
    this.memory.beginning = { epoch: Number(epoch), writers };
    this.steps.note(`    a generation begins at ${epoch}`);
    this.publish(generationChannel(namespace), gen);
    return 1;
  }
}
