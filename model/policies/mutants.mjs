// @ts-check

/** @param {string} fault */
const of = (fault) => `strict: policy, ${fault}`;
const toStrict = 'a switch to strict';
const atOnce = 'two switches of policy at once';

/** Switches of policy, the isolation of writers, and what nodes know. @type {readonly import('../mutants.mjs').Mutant[]} */
export const policyMutants = [
  {
    guard: 'policy: a step of a switch names the row that it was decided on',
    rules: { stepNamesTheRow: false },
    where: [of(atOnce)],
  },
  {
    guard: 'policy: the weaker promise is made before its writers begin',
    rules: { promisesLessFirst: false },
    where: [of('a switch from strict')],
  },
  {
    guard: 'policy: a switch waits until every node has heard, or lost its lease',
    rules: { switchWaitsForLeases: false },
    where: [of(toStrict)],
  },
  {
    guard: 'policy: a switch waits for the writers of the policy before, and for what is running',
    long: true,
    rules: { switchWaitsForWriters: false, switchWaitsForAll: false },
    where: [of(toStrict)],
  },
  {
    guard: 'policy: a switch to strict makes all that is cached unservable',
    rules: { switchFencesAll: false },
    where: [of(toStrict)],
  },
  {
    guard: 'policy: a writer takes its snapshot behind the lock, at any isolation level',
    long: true,
    rules: { lockTakesNoSnapshot: false },
    where: [of(toStrict)],
  },
  {
    guard: 'policy: a statement outside a transaction is made one',
    long: true,
    rules: { statementsAreTransactions: false },
    where: [of(toStrict)],
  },
  {
    guard: 'policy: a node that was told of a change keeps the rules of strict until it has read it',
    long: true,
    rules: { toldIsStrict: false },
    where: [of(toStrict)],
  },
  {
    guard: 'policy: readers keep the rules of strict while a switch is under way',
    long: true,
    rules: { underWayIsStrict: false },
    where: [of(toStrict)],
  },
  {
    guard: 'policy: without Redis, values are shared only under a policy that was read within a lease',
    rules: { sharesConfirmed: false },
    where: [of(`${toStrict}, a node without Redis`)],
  },
  {
    guard: 'policy: a node promises strict only while it has read so within a lease',
    rules: { promiseIsConfirmed: false },
    where: [of('a switch from strict')],
  },
  {
    guard: 'policy: a node follows the row, also when it goes back',
    rules: { rowIsFollowed: false },
    where: [of('a policy that goes back')],
  },
];
