// @ts-check

const planner = 'src/invalidation/policies/commit-planner.ts';
const acknowledgements = 'src/invalidation/bus/acknowledgements.ts';
const heartbeat = 'src/invalidation/bus/heartbeat.ts';

/** L1 under strict, acknowledged. @type {import('../mutants.mjs').Mutant[]} */
export const acknowledgementMutants = [
  {
    name: 'ack-wait',
    guard: 'a strict writer waits for the acknowledgements',
    file: planner,
    find: 'await this.acknowledgements.settle(acknowledgement, fenced);',
    replace: '',
  },
  {
    name: 'ack-own-l1',
    guard: 'a strict writer drops its own L1 before COMMIT',
    file: planner,
    find: 'this.l1.invalidate(tags);\n      await',
    replace: 'await',
  },
  {
    name: 'ack-lease',
    guard: 'a silent node is waited for until its lease has run out',
    file: acknowledgements,
    find: 'await Promise.race([all, this.clock.sleep(longestMs)]);',
    replace: 'await Promise.race([all, this.clock.sleep(longestMs / 4)]);',
  },
  {
    name: 'ack-young-generation',
    guard: 'a generation that is younger than a lease does not know its nodes',
    file: acknowledgements,
    find: "cacheL1Strict === 'acknowledged' && generationAgeMs < longestMs",
    replace: "cacheL1Strict === 'acknowledged' && generationAgeMs < 0",
  },
  {
    name: 'ack-registered',
    guard: 'a heartbeat registers its node',
    file: heartbeat,
    find: "if (this.settings.cacheL1Strict !== 'acknowledged') {",
    replace: 'if (this.settings) {',
  },
  {
    name: 'ack-expected-first',
    guard: 'every node that holds a lease is asked',
    file: acknowledgements,
    find: 'node !== this.node && !waiting?.heard.has(node)',
    replace: 'node !== this.node && waiting?.heard.has(node)',
  },
  {
    name: 'beat-answer',
    guard: 'an answer to an earlier heartbeat counts for nothing',
    file: heartbeat,
    find: 'if (beat === this.#asked) this.#answered?.();',
    replace: 'if (beat) this.#answered?.();',
    depth: 'on one connection answers come in order, and a new connection asks a new question',
  },
].map((mutant) => ({ by: ['acknowledged'], ...mutant }));
