// @ts-check

const waited = 'acknowledged: L1';

/** @type {readonly import('../mutants.mjs').Mutant[]} */
export const l1Mutants = [
  { guard: 'L1: the lease', rules: { leaseIsChecked: false }, where: ['write-through: L1'] },
  {
    guard: 'L1: the lease runs from when the heartbeat was sent',
    rules: { leaseFromSent: false },
    where: ['write-through: L1'],
  },
  {
    guard: 'L1: an invalidation voids fills under way',
    long: true,
    rules: { placeholderIsVoided: false },
    where: ['invalidate: L1', waited],
  },
  {
    guard: 'L1: keeps accepted fills only',
    long: true,
    rules: { l1TakesAcceptedOnly: false },
    where: ['invalidate: L1', waited],
  },
  {
    guard: 'L1: what belongs to a closed connection is void',
    long: true,
    rules: { termIsChecked: false },
    where: ['write-through: L1, lost invalidation connection', `${waited}, lost invalidation connection`],
  },
  {
    guard: 'L1: what was kept over a gap is confirmed by its stamps',
    rules: { confirmsByStamps: false },
    long: true,
    where: ['invalidate: L1, lost invalidation connection', `${waited}, lost invalidation connection`],
  },
  {
    guard: 'L1: a term begins when SUBSCRIBE is confirmed',
    long: true,
    rules: { termAfterSubscribe: false },
    where: ['write-through: L1, lost invalidation connection', `${waited}, lost invalidation connection`],
  },
  {
    guard: 'L1: an answer counts for its own connection',
    rules: { answerOfOwnConnection: false },
    where: ['write-through: L1, lost invalidation connection', 'invalidate: L1, lost invalidation connection'],
    depth: 'an older answer gives a shorter lease, and what was kept under its connection is void',
  },
  {
    guard: 'L1: a sleep is noticed',
    rules: { sleepIsNoticed: false },
    where: ['write-through: L1, a machine that sleeps'],
  },
  { guard: 'acknowledged: the writer waits', rules: { writerWaits: false }, where: [waited] },
  { guard: "acknowledged: it waits from FENCE's reply", long: true, rules: { waitsFromReply: false }, where: [waited] },
  {
    guard: 'acknowledged: a node is removed only if it stayed silent',
    long: true,
    rules: { removalIsConditional: false },
    where: [`${waited} (two writers)`],
  },
  {
    guard: 'acknowledged: a heartbeat registers again',
    long: true,
    rules: { heartbeatRegisters: false },
    where: [`${waited} (two writers)`],
  },
  {
    guard: 'L1: the end of a generation is told',
    rules: { claimIsTold: false },
    where: ['invalidate: L1, an operator clears everything'],
    depth: 'no heartbeat is answered without a generation, so that the lease ends all the same, only later',
  },
  {
    guard: 'L1: a heartbeat proves the generation',
    rules: { heartbeatProvesGeneration: false },
    where: ['invalidate: L1, an operator clears everything'],
    depth: 'whoever claims a generation tells; a flush, which tells nobody, is not in this model',
  },
  {
    guard: 'acknowledged: a young generation makes writers wait',
    rules: { youngGenerationWaits: false },
    where: [`${waited}, an operator clears everything`],
  },
];
