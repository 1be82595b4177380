// @ts-check
import { simulated, spec } from '../catchers.mjs';

const pending = 'src/invalidation/policies/pending-write.ts';
const acknowledgements = 'src/invalidation/bus/acknowledgements.ts';
const bus = 'src/invalidation/bus/invalidation-bus.ts';
const heartbeat = 'src/invalidation/bus/heartbeat.ts';

/** L1 under strict, acknowledged. @type {import('../mutants.mjs').Mutant[]} */
export const acknowledgementMutants = [
  {
    name: 'ack-wait',
    guard: 'a strict writer waits for the acknowledgements',
    file: pending,
    find: 'await acknowledgements.settle(acknowledgement, fenced, this.transaction.longestLeaseMs);',
    replace: '',
    by: [simulated('acknowledged', { seed: 20 })],
  },
  {
    name: 'ack-own-l1',
    guard: 'a strict writer drops its own L1 before COMMIT',
    file: pending,
    find: 'l1.invalidate(this.#tags);\n      await acknowledgements',
    replace: 'await acknowledgements',
    by: [simulated('acknowledged', { schedules: 1_000 })],
    depth: "the node hears its own invalidation before the others' acknowledgements, on the same connection",
  },
  {
    name: 'ack-lease',
    guard: 'a silent node is waited for until its lease has run out',
    file: acknowledgements,
    find: 'await Promise.race([all, this.clock.sleep(longestMs)]);',
    replace: 'await Promise.race([all, this.clock.sleep(longestMs / 4)]);',
    by: [simulated('acknowledged', { seed: 50 })],
  },
  {
    name: 'ack-young-generation',
    guard: 'a generation that is younger than a lease does not know its nodes',
    file: acknowledgements,
    find: "cacheL1Strict === 'acknowledged' && generationAgeMs < longestMs",
    replace: "cacheL1Strict === 'acknowledged' && generationAgeMs < 0",
    by: [spec('invalidation/strict.e2e-spec', 'a young generation waits')],
  },
  {
    name: 'ack-registered',
    guard: 'a heartbeat registers its node',
    file: heartbeat,
    find: "const register = this.settings.cacheL1Strict === 'acknowledged';",
    replace: 'const register = false;',
    by: [simulated('acknowledged', { seed: 20 })],
  },
  {
    name: 'ack-expected-first',
    guard: 'every node that holds a lease is asked',
    file: acknowledgements,
    find: 'node !== this.node && !waiting?.heard.has(node)',
    replace: 'node !== this.node && waiting?.heard.has(node)',
    by: [simulated('acknowledged', { seed: 20 })],
  },
  {
    name: 'beat-answer',
    guard: 'an answer to an earlier heartbeat counts for nothing',
    file: heartbeat,
    find: 'if (beat === this.#asked) this.#answered?.();',
    replace: 'if (beat) this.#answered?.();',
    by: [spec('invalidation/heartbeat.spec', 'not by a late one')],
  },
  {
    name: 'ack-after-drop',
    guard: 'a node acknowledges once it has dropped what it holds',
    file: bus,
    find: "this.l1.invalidate(tags);\n    if (ack && this.settings.cacheL1Strict === 'acknowledged') this.#acknowledge(ack);",
    replace: "if (ack && this.settings.cacheL1Strict === 'acknowledged') this.#acknowledge(ack);",
  },
].map((mutant) => ({ by: [simulated('acknowledged')], ...mutant }));
