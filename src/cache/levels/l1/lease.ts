import { Injectable } from '@nestjs/common';
import { Settings } from '../../../config/index.js';
import { Clock } from '../../clock.js';
import { CacheEvents } from '../../events.js';

/** One life of the invalidation connection: from its confirmed SUBSCRIBE to its close. */
export type Term = symbol;

/**
 * Proof that this node saw every invalidation up to a moment ago.
 *
 * It is extended by heartbeats that are answered on the connection which also carries the invalidations, hence after all
 * earlier ones, and runs on the monotonic clock from the moment the question was *sent*.
 * @see Gray & Cheriton, "Leases: an efficient fault-tolerant mechanism for distributed file cache consistency", 1989
 */
@Injectable()
export class Lease {
  #term: Term | undefined;
  #until = Number.NEGATIVE_INFINITY;
  #clockOffset: number;

  constructor(
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly events: CacheEvents,
  ) {
    this.#clockOffset = this.#measureOffset();
  }

  /** The current term: what is learned in it is void once it ends. */
  get term(): Term | undefined {
    return this.#term;
  }

  get valid(): boolean {
    if (this.clock.monotonicMs() >= this.#until) return false;
    // A machine that slept counts as a connection that was cut: the two clocks drift apart.
    return Math.abs(this.#measureOffset() - this.#clockOffset) < this.settings.cacheL1LeaseMs;
  }

  /** SUBSCRIBE was confirmed on a new connection. */
  begin(): Term {
    this.#term = Symbol('term');
    this.#clockOffset = this.#measureOffset();
    return this.#term;
  }

  /** A heartbeat of this term was answered. @param sentAtMs monotonic time at which it was sent */
  extend(term: Term, sentAtMs: number): void {
    if (term !== this.#term) return;
    const wasValid = this.valid;
    this.#until = Math.max(this.#until, sentAtMs + this.settings.cacheL1LeaseMs);
    this.#clockOffset = this.#measureOffset();
    if (!wasValid) this.events.emit({ type: 'lease', valid: true });
  }

  /** The connection is gone, or is not to be trusted any more. */
  end(term: Term): void {
    if (term !== this.#term) return;
    this.#term = undefined;
    this.#until = Number.NEGATIVE_INFINITY;
    this.events.emit({ type: 'lease', valid: false });
  }

  #measureOffset(): number {
    return this.clock.wallMs() - this.clock.monotonicMs();
  }
}
