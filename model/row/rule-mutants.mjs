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
    guard: 'write-through fences always, also where it may not store',
    rules: { refusedIsFenced: false },
    where: ['write-through: row'],
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
    long: true,
    rules: { replayIsFence: false },
    where: ['invalidate: row, crash of a writer, with a change feed'],
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
    depth: 'no load from before the epoch is accepted',
  },
  {
    guard: 'a switch to strict waits for the writers before it, and raises the epoch',
    rules: { switchWaitsForWriters: false, switchRaisesEpoch: false },
    long: true,
    where: [`${row}, a switch of policy, crash (from invalidate)`],
  },
];
