// @ts-check

/** @typedef {typeof import('../src/cache/core/decisions.js')} Decisions */
/** @typedef {typeof rules} Rules */

/**
 * What the models run: the product's decision functions, and those rules of the protocol that are an order of steps
 * rather than a decision. A mutant replaces some of either.
 * @typedef {{ readonly decisions: Decisions, readonly rules: Rules }} Protocol
 */

/** Each is a guard; a mutant switches it off. */
export const rules = {
  /** Scripts answer EPOCHCHANGED to a caller of another generation. */
  genIsChecked: true,
  /** A new generation lists the writers that are running: each may have fenced in the one before. */
  runningWritersAreListed: true,
  /** Whoever begins to install a generation makes the old one invalid first, then takes the epoch. */
  oldGenIsVoidedFirst: true,
  /** A generation is installed only by who still holds the right to. */
  initIsOwned: true,
  /** Servers are identified by what changes at a promotion (`master_replid`), not by `run_id` alone. */
  promotionIsSeen: true,
  /** A promotion closes the clients' connections (an assumption about how failover is done). */
  promotionDisconnects: true,
  /** Strict: a writer that cannot fence does not commit. */
  strictNeedsRedis: true,
  /** The row is locked before it is read: what it was, and what it is to become, is certain. */
  rowIsLockedFirst: true,
  /** After an unknown outcome nobody clears what is pending. */
  unknownStaysPending: true,
  /** A hash expires only while no writer is pending. */
  pendingNeverExpires: true,
  /** A flight may be joined only where its answer cannot be older than the joiner. */
  joinsEarlyOnly: true,
  /** Undelivered fences are kept and replayed before anything else is sent. */
  journalIsReplayedFirst: true,
  /** A write whose fence was kept is answered behind its replay, unless the node is cut off. */
  answerWaitsForReplay: true,
  /** The feed fences a change only once every later load sees it. */
  feedWaitsUntilVisible: true,
  /** A feed or journal replay is a FENCE with the writer's id, not a delete. */
  replayIsFence: true,
  /** Of a load that proves nothing (a standby's, an older snapshot's, one in a transaction that has written) nothing is kept. */
  onlyProvenIsKept: true,
  /** A writer takes the ticket for what it loads after its COMMIT before it loads. */
  ticketBeforeLoad: true,
  /** A switch to strict fences the coarse tag: everything stored before it is unservable. */
  switchFencesAll: true,
  /** It raises the epoch, so that no load from before is accepted. */
  switchRaisesEpoch: true,
  /** A switch to strict waits until every writer of the old policy has ended, ... */
  switchWaitsForWriters: true,
  /** ... and then until every other transaction has that began before. */
  switchWaitsForAll: true,
  /** Derived: stamps and fences are read before the load. */
  stampsBeforeLoad: true,
  /** Derived: a missing stamp is created by HSETNX, and what is there afterwards is used. */
  stampIsCreatedOnce: true,
  /** Derived: the load's snapshot must see every fence that came with a stamp, and be past the epoch. */
  derivedIsProven: true,
  derivedIsPastEpoch: true,
  /** Derived: the stamps are compared once more at the store. */
  storeComparesStamps: true,
  /** Derived: every stamp is compared at the read. */
  readComparesStamps: true,
  /** A part of a response contributes the stamp that came with its value. */
  partKeepsItsStamp: true,
  /** L1 serves under the lease only. */
  leaseIsChecked: true,
  /** The lease runs from when the heartbeat was sent. */
  leaseFromSent: true,
  /** A generation's end is told in the step that ends it, ... */
  claimIsTold: true,
  /** ... and a heartbeat is answered under the generation in force only. */
  heartbeatProvesGeneration: true,
  /** Acknowledged: while a generation is younger than a lease, writers wait for one. */
  youngGenerationWaits: true,
  /** L1: an invalidation voids fills under way, too. */
  placeholderIsVoided: true,
  /** L1 keeps hits of L2 and accepted fills, nothing else. */
  l1TakesAcceptedOnly: true,
  /** Entries and fills of a closed connection are void. */
  termIsChecked: true,
  /** What L1 kept over a gap is good again only if its stamps are. */
  confirmsByStamps: true,
  /** A term begins when SUBSCRIBE is confirmed. */
  termAfterSubscribe: true,
  /** A heartbeat's answer counts only for the connection that it was asked on. */
  answerOfOwnConnection: true,
  /** Time that the monotonic clock has slept through counts: a lease of it at least, ... */
  sleepIsNoticed: true,
  /** ... any of it, ... */
  sleepIsSubtracted: true,
  /** ... and from when the heartbeat was sent. */
  sleepFromSent: true,
  /** Acknowledged: the writer waits for every registered node, or until its lease is certainly over. */
  writerWaits: true,
  /** Acknowledged: that time runs from FENCE's reply. */
  waitsFromReply: true,
  /** Acknowledged: a silent node is removed only if it has not been heard of since FENCE. */
  removalIsConditional: true,
  /** Acknowledged: a heartbeat registers the node again. */
  heartbeatRegisters: true,
  /** Authority: what PostgreSQL says of the generation is a lease, ... */
  wordIsALease: true,
  /** ... which runs from when it was asked, ... */
  wordFromAsked: true,
  /** ... ends with the connection that it was asked on, ... */
  wordEndsWithConnection: true,
  /** ... also where that ended before the answer was accepted. */
  wordOfOwnConnection: true,
  /** A node's lease is confirmed for the generation that PostgreSQL names, ... */
  confirmsTheNamed: true,
  /** ... and that it is used is noted. */
  useIsNoted: true,
  /** A generation is named in the place of the one that its installer knew. */
  namesInItsPlace: true,
  /** A claim ends a generation on the Redis that PostgreSQL names for it; ... */
  claimsOnTheNamed: true,
  /** ... another Redis takes over only what no node uses. */
  takesOverUnusedOnly: true,
  /** A generation is named before its epoch is taken. */
  namedBeforeEpoch: true,
  /** A strict writer compares the number of the generation in force, ... */
  writerComparesNumber: true,
  /** ... as it is once the writer has an id. */
  numberIsReadWithId: true,
  /** Histories of PostgreSQL are compared by system, timeline and database, ... */
  lineIsCompared: true,
  /** ... by their log, ... */
  logIsCompared: true,
  /** ... and under asynchronous commits no restart follows what was before, ... */
  onlyDurableRestarts: true,
  /** ... nor does a crash that only ends connections. */
  crashIsDoubted: true,
  /** The history is compared with what the node has seen, ... */
  seenIsCompared: true,
  /** ... and with what Redis says that nodes have seen. */
  recordIsCompared: true,
  /** A connection of the pool that reaches another server is used only once that was compared. */
  poolIsVerified: true,
  /** A record counts on the server that it was made on, ... */
  serverIsCompared: true,
  /** ... and one that cannot be identified is never the same. */
  emptyNeverMatches: true,
  /** Each node compares its count in Redis, ... */
  countIsCompared: true,
  /** ... and the server's identity on the connection that it has. */
  copyIsSeen: true,
  /** The name and the number of a generation are compared. */
  numberIsCompared: true,
  /** Policies: every step of a switch names the row that it was decided on. */
  stepNamesTheRow: true,
  /** A weaker policy is promised before its writers begin. */
  promisesLessFirst: true,
  /** Whoever may rely on the step before has heard of it, or lost the lease. */
  switchWaitsForLeases: true,
  /** The lock is taken without a snapshot: the policy that is read is never older. */
  lockTakesNoSnapshot: true,
  /** No statement changes a cached entity outside a transaction, and so without the lock. */
  statementsAreTransactions: true,
  /** A node that was told of a change keeps the rules of strict until it has read it. */
  toldIsStrict: true,
  /** So it does while a switch to strict, or away from it, is under way. */
  underWayIsStrict: true,
  /** Without Redis, values are shared only under a policy that was read within a lease. */
  sharesConfirmed: true,
  /** A node promises strict only while it has read so within a lease. */
  promiseIsConfirmed: true,
  /** A node follows the row, also when it goes back. */
  rowIsFollowed: true,
};
