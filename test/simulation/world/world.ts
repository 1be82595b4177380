import { Logger } from '@nestjs/common';
import { type ScriptName, scripts } from '../../../src/cache/levels/l2/scripts.js';
import { loadSettings, type Settings } from '../../../src/config/index.js';
import { MemoryPostgres, type Row } from '../memory-postgres.js';
import { History } from '../history.js';
import { TransactionLock } from './transaction-lock.js';
import { SimulatedNode } from './node.js';
import { simulatedClient } from './redis-client.js';
import { namespace, RedisServer } from './redis-server.js';
import { type Database } from './session.js';
import { Steps, type StepScheduler } from './steps.js';
import { VirtualTime } from './virtual-time.js';

export const leaseMs = 1_000;
export const redisTimeoutMs = 100;
export const ttlMs = 10_000;
export const staleMs = 2_000;

export interface WorldOptions {
  readonly nodes: number;
  /** Environment of every node: policy, switches. */
  readonly env: Readonly<Record<string, string>>;
  readonly switching?: boolean;
}

const initialRows: readonly Row[] = [
  { id: 1, category: 'a', rev: 1 },
  { id: 2, category: 'b', rev: 2 },
];

const scriptNames = new Map(
  Object.entries(scripts).flatMap(([name, { text, sha }]) => [
    [text, name],
    [sha, name],
  ]),
);

/** One Redis, one PostgreSQL, some nodes, and what may happen between them. */
export class World {
  readonly time = new VirtualTime();
  readonly steps: Steps;
  readonly history: History;
  readonly database: Database;
  readonly redis: RedisServer;
  readonly nodes: readonly SimulatedNode[];
  readonly switching: boolean;
  readonly leaseMs = leaseMs;

  constructor({ nodes, env, switching = false }: WorldOptions, scheduler: StepScheduler, tracing: boolean) {
    Logger.overrideLogger(false);
    this.switching = switching;
    this.steps = new Steps(scheduler, tracing);
    this.history = new History(() => this.time.monotonicMs());
    const postgres = new MemoryPostgres(initialRows, (transaction) =>
      this.history.committed(transaction.name, postgres.rows(), transaction.xid),
    );
    this.history.committed(undefined, postgres.rows());
    this.database = {
      postgres,
      policyLock: new TransactionLock(),
      policyRow: new TransactionLock(),
      sessions: new Set(),
      policies: new Map(),
      generation: { name: '', server: '', usedAtMs: Number.NEGATIVE_INFINITY, number: 1 },
    };
    this.redis = new RedisServer(this.time, this.steps, (name, keys, args) => this.#executed(name, keys, args));
    this.nodes = Array.from({ length: nodes }, (_, i) => new SimulatedNode(this, `n${i}`, settingsOf(i, env)));
  }

  async start(): Promise<void> {
    for (const node of this.nodes) await node.start();
    // A generation that is younger than a lease makes acknowledged writers wait.
    if (this.nodes[0]!.settings.cacheL1Strict === 'acknowledged')
      await this.time.pass(2 * leaseMs, () => this.steps.settle());
  }

  /** What a node's client connects to. The host of the URL is the name of the node. */
  connect(url: string): ReturnType<typeof simulatedClient> {
    const node = this.nodes.find(({ name }) => url.includes(`//${name}:`))!;
    return simulatedClient(node, this.steps, this.redis, (text) => scriptNames.get(text) ?? 'an unknown script');
  }

  /** A write is delivered once Redis has fenced what it changed. */
  #executed(name: ScriptName, keys: readonly string[], args: readonly string[]): void {
    if (name === 'fence') this.history.fenced(args[0]!, keys.slice(2, 2 + (args.length - 4) / 2));
  }
}

const known = new Map<string, Settings>();

function settingsOf(node: number, env: Readonly<Record<string, string>>): Settings {
  const environment = {
    DATABASE_URL: 'postgres://simulated/things',
    CACHE_NAMESPACE: namespace,
    REDIS_URL: `redis://n${node}:6379`,
    REDIS_TIMEOUT_MS: String(redisTimeoutMs),
    CACHE_L1_LEASE_MS: String(leaseMs),
    CACHE_TTL_MS: String(ttlMs),
    CACHE_TTL_JITTER: '0',
    CACHE_STALE_MS: String(staleMs),
    ...env,
  };
  const key = JSON.stringify(environment);
  let settings = known.get(key);
  if (!settings) known.set(key, (settings = loadSettings(environment)));
  return settings;
}
