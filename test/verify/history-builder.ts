import {
  type Committed,
  type Fault,
  type History,
  type Key,
  type Left,
  type Policy,
  type Read,
  type Write,
} from '../../verify/checker/history.mjs';

type Times = readonly [invokedMs: number, completedMs: number];

/** Histories written by hand, one line per event. Row 1 in `a` and row 2 in `b` are there from the start. */
export class HistoryBuilder {
  readonly #history: History;
  #count = 0;

  constructor(policy: Policy = 'strict', settings: Partial<History['settings']> = {}) {
    this.#history = {
      policy,
      settings: { leaseMs: 100, redisTimeoutMs: 20, ttlMs: 1_000, jitter: 0.1, staleMs: 500, ...settings },
      seeds: [
        { key: 1, version: 1, name: 'seed 1', category: 'a' },
        { key: 2, version: 1, name: 'seed 2', category: 'b' },
      ],
      writes: [],
      reads: [],
      faults: [],
      left: [],
    };
  }

  write(times: Times, version: number | undefined, more: Partial<Write> = {}): this {
    const [invokedMs, completedMs] = times;
    const key = more.key ?? 1;
    const name = more.name ?? `write ${++this.#count}`;
    const outcome = version === undefined ? 'unknown' : 'ok';
    const base: Write = {
      source: 'service',
      node: 0,
      key,
      name,
      category: key === 1 ? 'a' : 'b',
      invokedMs,
      completedMs,
      outcome,
    };
    this.#history.writes.push({ ...base, ...(version !== undefined && { version }), ...more });
    return this;
  }

  read(times: Times, version: number, name = this.#nameOf(1, version), more: Partial<Read> = {}): this {
    return this.#add(times, { key: 1, rows: [[1, version, name]], ...more });
  }

  list(times: Times, category: string, versions: Readonly<Record<Key, number>>, more: Partial<Read> = {}): this {
    const rows = Object.entries(versions).map(([name, version]) => {
      const key = /^\d+$/.test(name) ? Number(name) : name;
      return [key, version, this.#nameOf(key, version)] as Read['rows'][number];
    });
    return this.#add(times, { category, rows, ...more });
  }

  absent(times: Times, key: Key = 1): this {
    return this.#add(times, { key, rows: [], status: 404 });
  }

  /** The database went back: of row 1 it kept a version. */
  loss(times: Times, kept: number): this {
    const [fromMs, untilMs] = times;
    const losses = (this.#history.losses ??= []);
    losses.push({
      era: losses.length + 1,
      fromMs,
      untilMs,
      kept: [
        [1, kept],
        [2, 1],
      ],
    });
    return this;
  }

  refusal(what: string, times: Times, node = 0): this {
    const [invokedMs, completedMs] = times;
    (this.#history.refusals ??= []).push({ what, node, status: 503, invokedMs, completedMs });
    return this;
  }

  fault(name: string, times: Times, node?: number): this {
    const [fromMs, untilMs] = times;
    this.#history.faults.push({ name, fromMs, untilMs, ...(node !== undefined && { node }) } satisfies Fault);
    return this;
  }

  committed(...all: readonly Committed[]): this {
    this.#history.committed = [...this.#history.seeds, ...all];
    return this;
  }

  left(version: number, expected: number): this {
    this.#history.left.push({ node: 0, key: 1, place: 'api l1', version, expected } satisfies Left);
    return this;
  }

  build(): History {
    return this.#history;
  }

  #add([invokedMs, completedMs]: Times, read: Pick<Read, 'rows'> & Partial<Read>): this {
    const cacheStatus = 'strata-api; hit; ttl=9; detail=l2; strata-policy=strict';
    this.#history.reads.push({ node: 1, invokedMs, completedMs, outcome: 'ok', cacheStatus, ...read });
    return this;
  }

  #nameOf(key: Key, version: number): string {
    const written = this.#history.writes.find((write) => write.key === key && write.version === version);
    return written?.name ?? `seed ${key}`;
  }
}
