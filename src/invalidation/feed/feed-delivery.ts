import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { sees, type Tag, wideXid } from '../../cache/index.js';
import { policies } from '../../policies/index.js';
import { type Invalidator } from '../invalidator.js';
import { type OwnWrites } from '../own-writes.js';
import { type PolicyRegistry } from '../policies/policy-registry.js';
import { type CommittedTransaction } from './change-stream.js';
import { type FeedSlot } from './feed-slot.js';

/**
 * How long a change is held back, in ms: most were made by the service, whose writer is about to fence them itself, and
 * what a writer has fenced need not be fenced again. Of the writers of this process it is known when they have.
 */
const settleMs = 50;

/** How often it is asked whether a change that is in the log is visible yet, in ms. */
const visibilityPollMs = 20;

/** So many transactions are in a batch at most; then nothing more is read until they are delivered. */
const batchSize = 1_000;

/** What of a transaction is to be fenced; the low 32 bits of its id. */
interface Missed {
  readonly xid: number;
  readonly tags: readonly Tag[];
}

/**
 * Makes transactions that the feed has told of known to the cache, in batches, each before any later one. While the first
 * of a batch is held back, and the batch before it is under way, nothing is read, so that this node is not woken by every
 * commit; what has arrived meanwhile makes up the batch.
 */
export class FeedDelivery {
  readonly #stopped = new AbortController();
  #batch: CommittedTransaction[] = [];
  #delivered: Promise<void> = Promise.resolve();

  /**
   * @param done told the last transaction of each batch once Redis has taken every fence of it
   * @param failed told if Redis has not
   */
  constructor(
    private readonly slot: FeedSlot,
    private readonly registry: PolicyRegistry,
    private readonly invalidator: Invalidator,
    private readonly ownWrites: OwnWrites,
    private readonly done: (batch: readonly CommittedTransaction[]) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  async add(transaction: CommittedTransaction): Promise<void> {
    const { signal } = this.#stopped;
    const first = this.#batch.length === 0;
    if (first) await Promise.allSettled([sleep(settleMs, undefined, { signal }), this.#delivered]);
    if (signal.aborted) return;
    this.#batch.push(transaction);
    if (first) void this.#flushOnceRead();
    else if (this.#batch.length >= batchSize) await this.#flush();
  }

  /** Once a turn of the event loop has brought nothing more. */
  async #flushOnceRead(): Promise<void> {
    for (let size = 0; size < this.#batch.length; await turn()) size = this.#batch.length;
    void this.#flush();
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
    const missed: Missed[] = [];
    for (const { xid, changes } of batch) {
      const changed = this.#tagsOf(changes.all());
      const tags = changed.length === 0 ? changed : await this.ownWrites.unfenced(xid, changed);
      if (tags.length > 0) missed.push({ xid, tags });
    }
    if (missed.length > 0) await this.#fence(missed);
    this.done(batch);
  }

  async #fence(missed: readonly Missed[]): Promise<void> {
    const { xids, xmin } = await this.#visible(missed.map(({ xid }) => xid));
    const changes = missed.map(({ tags }, i) => ({ tags, writer: { xid: String(xids[i]), xmin } }));
    await this.invalidator.fromFeed(changes);
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

  #tagsOf(byEntity: ReadonlyMap<string, readonly Tag[]>): readonly Tag[] {
    return [...byEntity].flatMap(([entity, tags]) =>
      policies[this.registry.writersOf(entity)].tellsOfWrites ? tags : [],
    );
  }
}
