import {
  type Beginning,
  fenced,
  filledRow,
  freshTag,
  holds,
  invalidated,
  refuseRowFill,
  rowIsServable,
  settled,
  type TagState,
  ticketLimit,
  withoutPending,
} from '../../src/cache/core/decisions.js';
import { type Lifetime } from '../../src/cache/core/freshness.js';
import { parseSnapshot, type Snapshot } from '../../src/cache/core/snapshot.js';
import { ticketTtlMs } from '../../src/cache/levels/l2/lifetimes.js';
import { type ScriptName } from '../../src/cache/levels/l2/scripts.js';

interface Expiring<T> {
  readonly state: T;
  /** Undefined: never. */
  readonly expiresAtMs?: number | undefined;
}

interface Derived {
  readonly body: string;
  readonly deps: string;
  readonly untilMs: number;
}

export class ScriptRefusal extends Error {}

type Reply = string | number | readonly unknown[];
type Script = (keys: readonly string[], args: readonly string[]) => Reply;

/**
 * The scripts of L2 in memory, over the decisions that the model and the product share. It answers what Redis would
 * answer: a test runs both on the same commands.
 */
export class MemoryRedis {
  gen: string | undefined;
  beginning: Beginning = { epoch: 0, writers: [] };
  bornMs = 0;
  readonly #tags = new Map<string, Expiring<TagState>>();
  /** Fresh until, ms, of the rows that have a value. */
  readonly #rowUntil = new Map<string, number>();
  readonly #derived = new Map<string, Expiring<Derived>>();
  /** When the load that is under way began, ms, by row. */
  readonly #loading = new Map<string, number>();
  /** The nodes that must acknowledge, with the number of their heartbeats, by key. */
  readonly #nodes = new Map<string, Map<string, number>>();

  constructor(
    private readonly now: () => number,
    private readonly publish: (channel: string, message: string) => void = () => undefined,
  ) {}

  /** KEYS[1], the record, and ARGV[1], the generation, are not among the keys and arguments. */
  run(gen: string, name: ScriptName, keys: readonly string[], args: readonly string[]): Reply {
    if (gen !== this.gen) throw new ScriptRefusal('EPOCHCHANGED the data set has another generation');
    const script = this.#scripts[name];
    if (!script) throw new Error(`${name} is not for nodes`);
    return script(keys, args);
  }

  flush(): void {
    this.#tags.clear();
    this.#rowUntil.clear();
    this.#derived.clear();
    this.#loading.clear();
    this.#nodes.clear();
    this.gen = undefined;
  }

  /** One tag's hash is lost, as by eviction: only one that may expire can be. */
  evict(key: string): void {
    if (this.#tags.get(key)?.expiresAtMs !== undefined) this.#tags.delete(key);
  }

  tag(key: string): TagState | undefined {
    const kept = this.#tags.get(key);
    if (kept?.expiresAtMs !== undefined && kept.expiresAtMs <= this.now()) {
      this.#tags.delete(key);
      return undefined;
    }
    return kept?.state;
  }

  get keys(): readonly string[] {
    return [...this.#tags.keys()];
  }

  readonly #scripts: Partial<Record<ScriptName, Script>> = {
    getRows: ([coarse = '', ...rows], [loadWindowMs, ...each]) => {
      const coarseTag = this.#ensure(coarse, each[0]!, 0);
      const found = rows.map((row, i) =>
        this.#getRow(row, coarseTag, { nonce: each[2 * i]!, staleMs: each[2 * i + 1]!, loadWindowMs: loadWindowMs! }),
      );
      return [coarseTag.stamp, ...found];
    },

    fillRow: ([row = '', coarse = ''], [nonce = '', , body = '', text = '', freshMs, keepMs]) => {
      const snapshot = parseSnapshot(text);
      const tag = this.tag(row);
      const refusal = refuseRowFill(tag, this.tag(coarse), nonce, snapshot, this.beginning);
      if (!refusal)
        return this.#fill(row, coarse, body, snapshot, { freshMs: Number(freshMs), keepMs: Number(keepMs) });
      if (tag && refusal !== 'ticket') {
        this.#change(row, { ...tag, tickets: without(tag.tickets, nonce) });
        this.#loading.delete(row);
      }
      return refusal;
    },

    fence: (keys, [xid, xmin, channel = '', message = '', ...pairs]) => {
      const [nodes = '', , ...fenced] = keys;
      for (let i = 0; i < pairs.length / 2; i += 1) {
        const [key, stamp] = [fenced[i]!, pairs[2 * i]!];
        this.#fence(key, Number(xid), Number(xmin), stamp);
        // The record is a key, too.
        const coarse = keys[Number(pairs[2 * i + 1]) - 2];
        if (coarse === undefined) continue;
        const ticket = { [stamp]: this.#ensure(coarse, stamp, 0).stamp };
        this.#change(key, { ...this.tag(key)!, tickets: ticket });
      }
      this.publish(channel, message);
      const registered = [...(this.#nodes.get(nodes) ?? [])].flatMap(([node, beats]) => [node, String(beats)]);
      return [registered, this.now() - this.bornMs];
    },

    rolledBack: (keys, [xid, ttlMs]) => {
      for (const key of keys) {
        const tag = this.tag(key);
        if (!tag) continue;
        const left = withoutPending(tag, Number(xid));
        const expires = left.pend.length === 0 && !isCoarse(key) && this.#tags.get(key)!.expiresAtMs === undefined;
        if (expires) this.#set(key, left, Number(ttlMs));
        else this.#change(key, left);
      }
      return 1;
    },

    readTags: (keys, [ttlMs, ...stamps]) => [
      String(this.beginning.epoch),
      this.beginning.writers.join(','),
      ...keys.map((key, i) => {
        const { stamp, fence, ff } = this.#ensure(key, stamps[i]!, isCoarse(key) ? 0 : Number(ttlMs));
        return [stamp, fence.join(','), String(ff)];
      }),
    ],

    readDerived: ([key = '']) => {
      const kept = this.#derived.get(key);
      if (!kept || kept.expiresAtMs! <= this.now()) return [];
      const { body, deps, untilMs } = kept.state;
      return [body, deps, untilMs - this.now(), kept.expiresAtMs! - this.now()];
    },

    verify: (keys) =>
      keys.map((key) => {
        const tag = this.tag(key);
        return tag && holds(tag, tag.stamp) ? tag.stamp : '';
      }),

    storeDerived: ([entry = '', ...keys], [body = '', deps = '', freshMs, keepMs, text = '', ...stamps]) => {
      if (keys.some((key, i) => this.tag(key)?.stamp !== stamps[i])) return 0;
      const snapshot = text === '' ? undefined : parseSnapshot(text);
      for (const key of keys) {
        const tag = settled(this.tag(key)!, snapshot);
        const expiresAtMs = this.#tags.get(key)!.expiresAtMs;
        const extended = tag.pend.length === 0 && !isCoarse(key) && (expiresAtMs ?? 0) < this.now() + Number(keepMs);
        if (extended) this.#set(key, tag, Number(keepMs));
        else this.#change(key, tag);
      }
      if (Number(keepMs) === 0) return 1;
      const state = { body, deps, untilMs: this.now() + Number(freshMs) };
      this.#derived.set(entry, { state, expiresAtMs: this.now() + Number(keepMs) });
      return 1;
    },

    beat: ([nodes = ''], [node = '', channel = '', message = '', register]) => {
      const registered = this.#nodes.get(nodes) ?? new Map<string, number>();
      if (register === '1') this.#nodes.set(nodes, registered.set(node, (registered.get(node) ?? 0) + 1));
      this.publish(channel, message);
      return 1;
    },

    forgetNode: ([nodes = ''], [node = '', count]) => {
      const registered = this.#nodes.get(nodes);
      return String(registered?.get(node)) === count && registered!.delete(node) ? 1 : 0;
    },

    raiseEpoch: (_keys, [epoch]) => {
      this.beginning = { ...this.beginning, epoch: Math.max(this.beginning.epoch, Number(epoch)) };
      return 1;
    },

    invalidate: (keys, [ttlMs, channel = '', message = '', ...stamps]) => {
      keys.forEach((key, i) => {
        this.#loading.delete(key);
        const tag = invalidated(this.tag(key), stamps[i]!);
        const expires = tag.pend.length === 0 || this.#tags.get(key)?.expiresAtMs !== undefined;
        this.#set(key, tag, expires && !isCoarse(key) ? Number(ttlMs) : undefined);
      });
      this.publish(channel, message);
      return 1;
    },
  };

  #fence(key: string, xid: number, xmin: number, stamp: string): void {
    this.#loading.delete(key);
    this.#set(key, fenced(this.tag(key), xid, xmin, stamp));
  }

  #fill(row: string, coarse: string, body: string, snapshot: Snapshot, life: Lifetime): Reply {
    const [tag, coarseTag] = [this.tag(row)!, this.tag(coarse)!];
    this.#loading.delete(row);
    this.#set(row, filledRow(tag, body, coarseTag.stamp, snapshot), life.keepMs);
    this.#rowUntil.set(row, this.now() + life.freshMs);
    this.#change(coarse, { ...coarseTag, pend: [] });
    return [tag.stamp, coarseTag.stamp];
  }

  #getRow(row: string, coarseTag: TagState, args: Record<'nonce' | 'staleMs' | 'loadWindowMs', string>): Reply {
    const { nonce, staleMs, loadWindowMs } = args;
    const tag = this.tag(row);
    if (tag && rowIsServable(tag, coarseTag)) {
      const left = this.#rowUntil.get(row)! - this.now();
      const ttl = this.#tags.get(row)!.expiresAtMs! - this.now();
      if (left + Number(staleMs) > 0) return [tag.value!.body, tag.stamp, left, ttl];
    }
    const kept = this.#ensure(row, nonce, ticketTtlMs);
    const fields = this.#fieldsOf(kept) + (this.#loading.has(row) ? 1 : 0);
    const tickets = fields > ticketLimit ? {} : kept.tickets;
    this.#change(row, { ...kept, tickets: { ...tickets, [nonce]: coarseTag.stamp } });
    const others = this.now() - (this.#loading.get(row) ?? Number.NEGATIVE_INFINITY) < Number(loadWindowMs);
    if (!others) this.#loading.set(row, this.now());
    return [others ? 1 : 0];
  }

  #ensure(key: string, stamp: string, ttlMs: number): TagState {
    const tag = this.tag(key);
    if (tag) return tag;
    const fresh = freshTag(stamp);
    this.#set(key, fresh, ttlMs > 0 ? ttlMs : undefined);
    return fresh;
  }

  /** The state changes, the expiry stays. */
  #change(key: string, state: TagState): void {
    this.#tags.set(key, { state, expiresAtMs: this.#tags.get(key)?.expiresAtMs });
  }

  #set(key: string, state: TagState, ttlMs?: number): void {
    this.#tags.set(key, { state, expiresAtMs: ttlMs === undefined ? undefined : this.now() + ttlMs });
  }

  /** As the hash in Redis would have them. A tag that was never fenced has its stamp only. */
  #fieldsOf({ tickets, value, fence, ff, pend }: TagState): number {
    const fencing = fence.length > 0 || ff > 0 || pend.length > 0 || value ? 4 : 1;
    return fencing + Object.keys(tickets).length + (value ? 3 : 0);
  }
}

const isCoarse = (key: string): boolean => key.endsWith(':*');

function without(tickets: TagState['tickets'], nonce: string): TagState['tickets'] {
  return Object.fromEntries(Object.entries(tickets).filter(([ticket]) => ticket !== nonce));
}
