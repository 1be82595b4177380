import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Tag } from '../cache/index.js';

/** The feed waits for so long at most until a writer of its own process has fenced, in ms. */
const patienceMs = 1_000;
/** Writers that are known at most: far more than the feed is behind. Of those that are forgotten Redis is asked. */
const maxWrites = 10_000;

/** One transaction of this process, from before its COMMIT until what it has changed is fenced. */
export class OwnWrite {
  readonly fenced = new Set<Tag>();
  readonly ended: Promise<void>;
  /** To be called in any case. */
  end!: () => void;

  constructor() {
    this.ended = new Promise((resolve) => (this.end = resolve));
  }
}

/**
 * What the transactions of this process have fenced. While its node reads the change feed, most of what comes there is
 * their own: what is known here need not be asked of Redis, and a writer that is about to fence is not overtaken.
 */
@Injectable()
export class OwnWrites {
  /** By the low 32 bits of their ids, the oldest first. Undefined: nobody reads the feed here. */
  #writes: Map<number, OwnWrite> | undefined;

  /** From now on, or no longer: who asks is the reader of the feed. */
  set watched(watched: boolean) {
    this.#writes = watched ? new Map<number, OwnWrite>() : undefined;
  }

  begin(xid: string): OwnWrite {
    const write = new OwnWrite();
    if (!this.#writes) return write;
    this.#writes.set(Number(BigInt.asUintN(32, BigInt(xid))), write);
    if (this.#writes.size > maxWrites) this.#writes.delete(this.#writes.keys().next().value!);
    return write;
  }

  /** What of a committed transaction's tags this process has not fenced, once its writer, if it is one of ours, is done. */
  async unfenced(xid: number, tags: readonly Tag[]): Promise<readonly Tag[]> {
    const write = this.#writes?.get(xid);
    if (!write) return tags;
    await Promise.race([write.ended, sleep(patienceMs, undefined, { ref: false })]);
    this.#writes?.delete(xid);
    return tags.filter((tag) => !write.fenced.has(tag));
  }
}
