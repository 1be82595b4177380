import { setTimeout as sleep } from 'node:timers/promises';
import { sees, type Tag, wideXid } from '../../cache/index.js';
import { type Invalidator } from '../invalidator.js';
import { type PolicyRegistry } from '../policies/policy-registry.js';
import { type CommittedTransaction } from './change-stream.js';
import { type FeedSlot } from './feed-slot.js';

/**
 * How long a change is held back, in ms: most were made by this service, whose writer is about to fence them itself, and
 * what a writer has fenced need not be fenced again.
 */
const settleMs = 50;

/** How often it is asked whether a change that is in the log is visible yet, in ms. */
const visibilityPollMs = 20;

/** So many transactions are in a batch at most; then nothing more is read until they are delivered. */
const batchSize = 200;

/**
 * Makes transactions that the feed has told of known to the cache, in batches, each before any later one. While the first
 * of a batch is held back nothing is read, so that this node is not woken by every commit; what has arrived with it makes
 * up the batch.
 */
export class FeedDelivery {
  readonly #stopped = new AbortController();
  #batch: CommittedTransaction[] = [];
  #delivered: Promise<void> = Promise.resolve();

  /**
   * @param done told the last transaction of each batch once Redis has taken every fence of it
   * @param failed told once, if Redis has not
   */
  constructor(
    private readonly slot: FeedSlot,
    private readonly registry: PolicyRegistry,
    private readonly invalidator: Invalidator,
    private readonly done: (batch: readonly CommittedTransaction[]) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  async add(transaction: CommittedTransaction): Promise<void> {
    const { signal } = this.#stopped;
    if (this.#batch.length === 0) {
      await sleep(settleMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      // After whatever has been read already, before anything else is.
      process.nextTick(() => void this.#flush());
    }
    this.#batch.push(transaction);
    if (this.#batch.length >= batchSize) await this.#flush();
  }

  stop(): void {
    this.#stopped.abort();
    this.#batch = [];
  }

  #flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#delivered = this.#delivered.then(() => this.#deliver(batch));
    // Whoever comes after a failure must not be confirmed.
    this.#delivered.catch(this.failed);
    return this.#delivered;
  }

  async #deliver(batch: readonly CommittedTransaction[]): Promise<void> {
    if (batch.length === 0) return;
    const changed = batch.map(({ xid, changes }) => ({ xid, tags: this.#tagsOf(changes.all()) }));
    const named = changed.filter(({ tags }) => tags.length > 0);
    if (named.length > 0) {
      const { xids, xmin } = await this.#visible(named.map(({ xid }) => xid));
      const fences = named.map(({ tags }, i) => this.invalidator.fromFeed(tags, { xid: String(xids[i]), xmin }));
      await Promise.all(fences);
    }
    this.done(batch);
  }

  /**
   * The log has a commit before loads see it, and long before where it waits for a standby. Fenced too early, it would be
   * unknown to a generation that begins meanwhile, and a load that misses it would be kept.
   * @returns the ids in full, once every later load sees them
   */
  async #visible(low: readonly number[]): Promise<{ readonly xids: readonly number[]; readonly xmin: string }> {
    const { signal } = this.#stopped;
    for (;;) {
      const snapshot = await this.slot.snapshot();
      const xids = low.map((xid) => Number(wideXid(xid, BigInt(snapshot.xmax))));
      if (xids.every((xid) => sees(snapshot, xid))) return { xids, xmin: String(snapshot.xmin) };
      await sleep(visibilityPollMs, undefined, { signal });
    }
  }

  /** Under `ttl` nobody is told of a change. */
  #tagsOf(byEntity: ReadonlyMap<string, readonly Tag[]>): readonly Tag[] {
    return [...byEntity].flatMap(([entity, tags]) => (this.registry.writersOf(entity) === 'ttl' ? [] : tags));
  }
}
