import { Injectable } from '@nestjs/common';
import { Settings } from '../../../config/index.js';
import { Clock, isWithin, type Moment } from '../../clock.js';
import { CacheEvents } from '../../events.js';

/** One life of the invalidation connection: from its confirmed SUBSCRIBE to its close. */
export type Term = symbol;

const never: Moment = { monotonicMs: Number.NEGATIVE_INFINITY, wallMs: Number.NEGATIVE_INFINITY };

/**
 * Proof that this node saw every invalidation up to a moment ago.
 *
 * It is extended by heartbeats that are answered on the connection which also carries the invalidations, hence after all
 * earlier ones, and runs from the moment the question was *sent*: on the monotonic clock, which nobody can set, and on the
 * wall clock, which goes on while the machine sleeps. It is over as soon as it is over on one of them.
 * @see Gray & Cheriton, "Leases: an efficient fault-tolerant mechanism for distributed file cache consistency", 1989
 */
@Injectable()
export class Lease {
  #term: Term | undefined;
  #since: Moment = never;

  constructor(
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly events: CacheEvents,
  ) {}

  /** The current term: what is learned in it is void once it ends. */
  get term(): Term | undefined {
    return this.#term;
  }

  get valid(): boolean {
    return this.isValidAt(this.clock.now());
  }

  isValidAt(now: Moment): boolean {
    return isWithin(this.settings.cacheL1LeaseMs, this.#since, now);
  }

  /** SUBSCRIBE was confirmed on a new connection. */
  begin(): Term {
    this.#term = Symbol('term');
    return this.#term;
  }

  /** A heartbeat of this term was answered. @param sentAt when it was sent */
  extend(term: Term, sentAt: Moment): void {
    if (term !== this.#term) return;
    const wasValid = this.valid;
    this.#since = sentAt;
    if (!wasValid) this.events.emit({ type: 'lease', valid: true });
  }

  /** The connection is gone, or is not to be trusted any more. */
  end(term: Term): void {
    if (term !== this.#term) return;
    this.#term = undefined;
    this.#since = never;
    this.events.emit({ type: 'lease', valid: false });
  }
}
