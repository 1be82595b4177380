// @ts-check
import { spec } from '../catchers.mjs';

const lane = 'src/cache/api/lane/fast-lane.ts';
const recorder = 'src/cache/api/lane/recorder.ts';
const capture = 'src/cache/api/lane/header-capture.ts';
const level = 'src/cache/levels/l1/memory-level.ts';

/** The fast lane: what it may give, what may be recorded. @type {import('../mutants.mjs').Mutant[]} */
export const laneMutants = [
  {
    name: 'lane-policy',
    guard: 'the fast lane asks the policies on every hit',
    file: lane,
    find: ' || !this.#mayShare(answers)',
    replace: '',
    by: [spec('lane.e2e-spec', 'is not given from the moment that a policy forbids it')],
  },
  {
    name: 'lane-draining',
    guard: 'a server that drains answers without the fast lane',
    file: lane,
    find: ' || !this.#server!.listening',
    replace: '',
    by: [spec('lane.lifecycle.e2e-spec', 'lets a server that drains close its connections')],
  },
  {
    name: 'lane-lease',
    guard: 'the fast lane needs the lease',
    file: level,
    find: 'return this.#covered(stored, now) ? stored : undefined;',
    replace: 'return stored;',
    by: [spec('lane.e2e-spec', 'is not given without the lease')],
  },
  {
    name: 'lane-freshness',
    guard: 'the fast lane gives nothing past its freshness',
    file: level,
    find: 'if (!stored || stored.freshUntilMs <= now.monotonicMs) return undefined;',
    replace: 'if (!stored) return undefined;',
    by: [spec('lane.lifecycle.e2e-spec', 'ends what it has')],
  },
  {
    name: 'lane-unknown-request',
    guard: 'a request field that nobody knows is not for the fast lane',
    file: 'src/cache/api/lane/known-headers.ts',
    find: "if (!handling) return { refused: 'header' };",
    replace: "if (!handling) return 'irrelevant';",
    by: [spec('lane.e2e-spec', 'leaves a request to Nest because of')],
  },
  {
    name: 'lane-unknown-answer',
    guard: 'an answer with a field that nobody knows is not recorded',
    file: capture,
    find: 'else if (!representationFields.has(lower)) return undefined;',
    replace: '',
    by: [spec('lane.recording.e2e-spec', 'an answer is not recorded')],
  },
  {
    name: 'lane-vary',
    guard: 'an answer that varies by more than the encoding is not recorded',
    file: capture,
    find: "if (lower === 'vary' && value !== 'Accept-Encoding') return undefined;",
    replace: '',
    by: [spec('lane.recording.e2e-spec', 'that varies by more than the encoding')],
  },
  {
    name: 'lane-agreement',
    guard: 'a field that is another each time is not recorded',
    file: capture,
    find: 'return agrees ? list : undefined;',
    replace: 'return list;',
    by: [spec('lane.recording.e2e-spec', 'with a known field that is another each time')],
  },
  {
    name: 'lane-sent',
    guard: 'what is recorded is what was sent',
    file: recorder,
    find: 'if (!describes(res, chosen, body)) return;',
    replace: '',
    by: [spec('lane.recording.e2e-spec', 'whose body somebody has replaced on its way')],
  },
  {
    name: 'lane-same-entry',
    guard: 'an answer hangs on the entry that it was made of',
    file: recorder,
    find: ' || !isOf(entry.body, stored)',
    replace: '',
    by: [spec('lane.recording.e2e-spec', 'whose entry has been replaced while it was on its way')],
  },
  {
    name: 'lane-settled',
    guard: 'an answer that will soon be a better one is not recorded',
    file: recorder,
    find: 'if (!sending.chosen.settled) return;',
    replace: '',
    by: [spec('representations.e2e-spec', 'has the same bytes in every encoding')],
  },
  {
    name: 'lane-guarded',
    guard: 'a route behind a guard has no place in the fast lane',
    file: lane,
    find: "this.routes.isPublic(context) ? questionOf(req) : 'guarded'",
    replace: 'questionOf(req)',
    by: [spec('lane.recording.e2e-spec', 'of a route behind a guard')],
  },
];
