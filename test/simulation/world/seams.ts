import { type RedisClient } from '../../../src/cache/levels/l2/redis-client.js';
import { type VirtualTime } from './virtual-time.js';

/*
 * Where the product touches the outside: the Redis client, its own connection to PostgreSQL, timers, random names, and the size of a preallocated table. Import this
 * before any product module. Everything else of the product runs as it is.
 */

interface Surroundings {
  readonly time: VirtualTime;
  connect(url: string): RedisClient;
}

let current: Surroundings | undefined;

function surroundings(): Surroundings {
  if (!current) throw new Error('product code has run outside of a simulated world');
  return current;
}

jest.mock('../../../src/cache/levels/l2/redis-client.js', () => ({
  createRedisClient: (url: string) => surroundings().connect(url),
}));

jest.mock('../../../src/database/own-connection.js', () => ({
  OwnConnection: class {
    constructor(
      private readonly dataSource: { query(sql: string, parameters: readonly unknown[]): Promise<unknown[]> },
    ) {}

    query(sql: string, parameters: readonly unknown[] = []): Promise<unknown[]> {
      return this.dataSource.query(sql, parameters);
    }

    close(): void {
      // Nothing is open.
    }
  },
}));

jest.mock('node:timers/promises', () => ({
  setTimeout: (ms?: number, value?: unknown, options?: object) => surroundings().time.wait(ms, value, options),
}));

// Names that are cheap, short, and the same in every run.
jest.mock('node:crypto', () => {
  let last = 0;
  const next = () => (last += 1).toString(36);
  return {
    ...jest.requireActual<object>('node:crypto'),
    randomBytes: () => ({ toString: () => `s${next()}` }),
    randomUUID: () => `u${next()}`,
  };
});

// LRUCache allocates all slots at once: thousands of worlds do not need ten thousand each.
jest.mock('lru-cache', () => {
  const { LRUCache } = jest.requireActual<{ LRUCache: new (options: object) => object }>('lru-cache');
  return {
    LRUCache: class extends LRUCache {
      constructor(options: { max?: number }) {
        super(options.max ? { ...options, max: 32 } : options);
      }
    },
  };
});

const { setTimeout, setInterval, clearTimeout } = globalThis;
const now = performance.now.bind(performance);
const { stackTraceLimit } = Error;

/** Puts a world around the product until the answer comes. */
export async function surroundedBy<T>(world: Surroundings, work: () => Promise<T>): Promise<T> {
  current = world;
  const { time } = world;
  Object.assign(globalThis, {
    setTimeout: (fire: () => void, ms?: number) => time.setTimeout(fire, ms),
    setInterval: (fire: () => void, ms: number) => time.setInterval(fire, ms),
    clearTimeout: (timer: unknown) => time.clearTimeout(timer),
  });
  performance.now = () => time.monotonicMs();
  // Simulated outages throw many errors that nobody looks at.
  Error.stackTraceLimit = 0;
  try {
    return await work();
  } finally {
    current = undefined;
    Object.assign(globalThis, { setTimeout, setInterval, clearTimeout });
    performance.now = now;
    Error.stackTraceLimit = stackTraceLimit;
  }
}
