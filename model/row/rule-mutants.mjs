// @ts-check

/** @typedef {import('../mutants.mjs').Mutant} Mutant */

const row = 'strict: row';

/** The order of the steps around a row. @type {readonly Mutant[]} */
export const rowRuleMutants = [
  {
    guard: 'scripts check the generation',
    rules: { genIsChecked: false },
    where: [`${row}, flush`, `${row}, flush (two nodes install)`],
  },
  {
    guard: 'the right to install is checked',
    long: true,
    rules: { initIsOwned: false },
    where: [`${row}, flush (two nodes install)`],
  },
  {
    guard: 'a generation lists the writers that are running when it begins',
    rules: { runningWritersAreListed: false },
    where: [`${row}, flush`, `${row}, an operator clears everything`],
  },
  { guard: 'a promotion is seen', rules: { promotionIsSeen: false }, where: [`${row}, failover and back`] },
  {
    guard: 'strict fails without Redis',
    rules: { strictNeedsRedis: false },
    where: [`${row}, a writer cut off from Redis`],
  },
  {
    guard: 'a writer takes its ticket before it loads',
    rules: { ticketBeforeLoad: false },
    where: [`${row}, expiry of a hash`],
  },
  {
    guard: 'an unknown outcome stays pending',
    rules: { unknownStaysPending: false },
    where: [`${row}, COMMIT without an answer (expiry)`],
  },
  {
    guard: 'a hash does not expire while a writer is pending',
    rules: { pendingNeverExpires: false },
    where: [`${row}, expiry of a hash`],
  },
  {
    guard: 'a load is joined early only',
    rules: { joinsEarlyOnly: false },
    where: [`${row}, callers that join a load (cached)`],
  },
  {
    guard: 'what could not be fenced is replayed first',
    rules: { journalIsReplayedFirst: false },
    where: ['invalidate: row, a writer cut off from Redis'],
  },
  {
    guard: 'a write is answered behind the replay of its fence',
    rules: { answerWaitsForReplay: false },
    where: ['invalidate: row, an operator clears everything'],
  },
  {
    guard: 'a replay is a FENCE, not a delete',
    rules: { replayIsFence: false },
    where: ['invalidate: row, crash of a writer, with a change feed', 'invalidate: row, replayed fences'],
    depth: 'what is replayed is visible: every load that takes its ticket later has seen it',
  },
  {
    guard: 'the feed fences a change only once every load sees it',
    rules: { feedWaitsUntilVisible: false },
    where: [`${row}, SQL past the application, with a change feed, flush`],
  },
  {
    guard: 'what a load has not proven is not kept',
    rules: { onlyProvenIsKept: false },
    where: [`${row}, loads that prove nothing`],
  },
  {
    guard: 'a switch to strict makes all that is cached unservable',
    rules: { switchFencesAll: false },
    where: [`${row}, a switch of policy, crash (from ttl)`],
  },
  {
    guard: 'a switch to strict raises the epoch',
    rules: { switchRaisesEpoch: false },
    where: [`${row}, a switch of policy, crash (from invalidate)`],
    depth: 'when the writers before it have ended, every later load has seen them',
  },
  {
    guard: 'a switch to strict waits for the writers before it',
    rules: { switchWaitsForWriters: false },
    where: [`${row}, a switch of policy, crash (from invalidate)`],
    depth: 'all transactions from before have ended when strict is promised',
  },
  {
    guard: 'a switch to strict waits for all transactions before it',
    rules: { switchWaitsForAll: false },
    where: [`${row}, a switch of policy, crash (from invalidate)`],
    depth: 'every writer before it has ended when the policy changes',
  },
  {
    guard: 'a switch to strict waits for the writers before it, and for all transactions',
    rules: { switchWaitsForWriters: false, switchWaitsForAll: false },
    long: true,
    where: [`${row}, a switch of policy, crash (from invalidate)`],
  },
];
