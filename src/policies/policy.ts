/**
 * One writing transaction's changes under one policy, and what can be done about them. To fence is to make what is cached of
 * them invalid, and to refuse every later fill that has not seen the transaction.
 */
export interface Write {
  /**
   * Fences and waits until every node has acknowledged it, or has lost its lease.
   * @throws where it cannot: the transaction fails, and nothing is written
   */
  fence(): Promise<void>;
  /** Sends the fence together with the COMMIT, whatever becomes of it. Never throws. */
  sendFence(): void;
  /** Waits for the fence that was sent; one that Redis has not taken is kept, and told later. Never throws. */
  deliverFence(): Promise<void>;
  /** After a fence whose transaction was rolled back: fills need not have seen it. Never throws. */
  withdrawFence(): Promise<void>;
  /** Drops from this node's memory what was loaded between the fence and the COMMIT. */
  forget(): void;
  /** Loads the rows as they were committed, by the ticket that their fence brought back, and fills. Never throws. */
  store(): Promise<void>;
}

/** What readers may rely on, and what writers do for it. */
export interface Policy {
  readonly name: string;
  /** One sentence for people. */
  readonly guarantee: string;

  /** May a node keep it in its memory under the lease alone, without an acknowledgement of each write? */
  readonly sharesL1: boolean;
  /** May a value past freshness be served while its stamps still hold (RFC 5861)? */
  readonly servesStale: boolean;
  /**
   * Is no read ever older than an acknowledged write? Then a hit counts only while the generation is certainly in force,
   * nobody behind this service may use an answer unasked, and without Redis there is no such policy.
   */
  readonly isCertain: boolean;

  /** Is the cache told of changes at all: by their writers, and by the feed? If not, its writers do nothing else either. */
  readonly tellsOfWrites: boolean;
  /** Are rows stored once they are committed? Then fences bring tickets. */
  readonly stores: boolean;
  /** Under the row locks, when everything else of the transaction has been said. @throws the transaction fails */
  beforeCommit(write: Write): Promise<void> | void;
  committed(write: Write): Promise<void> | void;
  /** COMMIT was sent and not answered. */
  outcomeUnknown(write: Write): Promise<void> | void;
  /** It was certainly rolled back. */
  rolledBack(write: Write): Promise<void> | void;
}

export const nothing = (): void => undefined;
