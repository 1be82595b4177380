// @ts-check

/** @param {string} fault @param {string} [kind] */
const of = (fault, kind = 'strict') => `${kind}: generation, ${fault}`;
const restored = 'PostgreSQL goes back (restored data)';
const promoted = 'PostgreSQL goes back (a standby that lagged)';
const crashed = 'PostgreSQL goes back (a crash under asynchronous commits)';
const recovered = 'PostgreSQL goes back (a crash under asynchronous commits that PostgreSQL recovers from by itself)';
const two = 'nodes on two Redis servers';
const older = 'Redis restarts with older data';
const copied = 'Redis takes over an older copy of its data';
const cold = 'a node begins with a Redis that has older data';
const coldUnidentified = `${cold} (it cannot be identified)`;
const unidentified = 'a Redis that cannot be identified restarts with older data';

/** PostgreSQL names the generation; histories and data sets that go back are noticed. @type {readonly import('../mutants.mjs').Mutant[]} */
export const authorityMutants = [
  { guard: "authority: a strict hit needs PostgreSQL's word", rules: { wordIsALease: false }, where: [of(two)] },
  { guard: 'authority: its word counts from when it was asked', rules: { wordFromAsked: false }, where: [of(two)] },
  {
    guard: 'authority: its word ends with the connection that it came on',
    rules: { wordEndsWithConnection: false },
    where: [of(restored)],
  },
  {
    guard: 'authority: it confirms the generation that it names',
    rules: { confirmsTheNamed: false },
    where: [of(two)],
  },
  { guard: 'authority: the use of a generation is noted', rules: { useIsNoted: false }, where: [of(two)] },
  {
    guard: 'authority: a generation is named in the place of the one that its installer knew',
    rules: { namesInItsPlace: false },
    long: true,
    where: [of(`an operator clears everything, ${two}`)],
  },
  {
    guard: 'authority: a claim ends a generation on the Redis that is named for it',
    rules: { claimsOnTheNamed: false },
    where: [of(two)],
  },
  {
    guard: 'authority: another Redis takes over what no node uses',
    rules: { takesOverUnusedOnly: false },
    where: [of(two)],
  },
  {
    guard: 'authority: a generation is named before its epoch is taken',
    rules: { namedBeforeEpoch: false },
    where: [of(`${two} (the writer on the first)`)],
  },
  {
    guard: "authority: a strict writer compares the generation's number",
    rules: { writerComparesNumber: false },
    where: [of(`${two} (the writer on the first)`)],
  },
  {
    guard: 'authority: a strict writer reads that number once it has an id',
    rules: { numberIsReadWithId: false },
    where: [of(`${two} (the writer on the first)`)],
  },
  {
    guard: 'authority: system, timeline and database are compared',
    rules: { lineIsCompared: false },
    where: [of(promoted)],
  },
  { guard: "authority: PostgreSQL's log is compared", rules: { logIsCompared: false }, where: [of(restored)] },
  {
    guard: 'authority: no restart follows under asynchronous commits',
    rules: { onlyDurableRestarts: false },
    where: [of(crashed), of(crashed, 'invalidate')],
  },
  {
    guard: 'authority: a crash that only ends connections is doubted',
    rules: { crashIsDoubted: false },
    where: [of(recovered), of(recovered, 'invalidate')],
  },
  {
    guard: 'authority: a history is compared with what the node has seen',
    rules: { seenIsCompared: false },
    where: [of(restored), of(recovered)],
  },
  {
    guard: 'authority: a history is compared with what Redis says that nodes have seen',
    rules: { recordIsCompared: false },
    where: [of('PostgreSQL goes back, a node restarts')],
  },
  {
    guard: 'authority: a new connection of the pool is compared',
    rules: { poolIsVerified: false },
    where: [of(restored), of(restored, 'invalidate')],
  },
  {
    guard: 'authority: a record counts on the server that it was made on',
    rules: { serverIsCompared: false },
    where: [of(older), of(cold), of(older, 'invalidate')],
    depth: 'every node proves the identity to Redis as well, before it joins',
  },
  {
    guard: 'authority: a server that cannot be identified is never the same',
    rules: { emptyNeverMatches: false },
    where: [of(coldUnidentified, 'invalidate')],
  },
  {
    guard: 'authority: each node compares its count',
    rules: { countIsCompared: false },
    where: [of(unidentified, 'invalidate')],
  },
  {
    guard: "authority: the server's identity is compared on the connection, too",
    rules: { copyIsSeen: false },
    where: [of(copied)],
  },
  {
    guard: 'authority: the number of a generation is compared, besides its name',
    rules: { numberIsCompared: false },
    where: [of(restored), of(two)],
    depth: 'a name is never given twice',
  },
];

/** @type {readonly import('../mutants.mjs').Mutant[]} */
export const authorityKnown = [
  {
    guard: "authority: PostgreSQL's word counts although its connection has ended before it was accepted",
    rules: { wordOfOwnConnection: false },
    where: [of(restored)],
  },
];
