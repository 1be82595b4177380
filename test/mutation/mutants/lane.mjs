// @ts-check
import { spec } from '../catchers.mjs';

const lane = 'src/cache/api/lane/fast-lane.ts';
const recorder = 'src/cache/api/lane/recorder.ts';
const heads = 'src/cache/api/lane/heads.ts';
const capture = 'src/cache/api/lane/header-capture.ts';
const routes = 'src/cache/api/lane/free-routes.ts';
const urls = 'src/cache/api/lane/url-table.ts';
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
    find: 'stored.freshUntilMs <= now.monotonicMs || !this.#covered(stored, now)',
    replace: 'stored.freshUntilMs <= now.monotonicMs',
    by: [spec('lane.e2e-spec', 'is not given without the lease')],
  },
  {
    name: 'lane-freshness',
    guard: 'the fast lane gives nothing past its freshness',
    file: level,
    find: 'stored.freshUntilMs <= now.monotonicMs || !this.#covered(stored, now)',
    replace: '!this.#covered(stored, now)',
    by: [spec('lane.lifecycle.e2e-spec', 'ends what it has')],
  },
  {
    name: 'lane-gone',
    guard: 'what the fast lane has goes with its entry, in the same step',
    file: level,
    find: 'entry.attachment?.gone();',
    replace: '',
    by: [spec('lane.e2e-spec', 'is gone with the entry'), spec('cache/levels.spec', 'hears that it has gone')],
  },
  {
    name: 'lane-use',
    guard: 'what the fast lane serves counts as used',
    file: level,
    find: 'if (period !== stored.usedIn) {',
    replace: 'if (period < 0) {',
    by: [spec('cache/levels.spec', 'counts as used when its entry is served in place')],
  },
  {
    name: 'lane-connection',
    guard: 'a client that does not keep its connection is told so',
    file: heads,
    find: 'res.shouldKeepAlive && res.useChunkedEncodingByDefault ? this.#ending : undefined',
    replace: 'this.#ending',
    by: [spec('lane.e2e-spec', 'says of the connection what Node says')],
  },
  {
    name: 'lane-http-1.0',
    guard: 'a client of HTTP/1.0 is told what Node tells it',
    file: heads,
    find: ' && res.useChunkedEncodingByDefault',
    replace: '',
    by: [spec('lane.e2e-spec', 'says of the connection what Node says')],
  },
  {
    name: 'lane-head-body',
    guard: 'an answer to HEAD has no body',
    file: 'src/cache/api/lane/recorded-answer.ts',
    find: '${hasBody ? this.#rest : ',
    replace: '${this.#rest ? this.#rest : ',
    by: [spec('lane.answer.spec', 'is given whole')],
  },
  {
    name: 'lane-heads',
    guard: 'of what Node says by itself, only what is known is repeated',
    file: heads,
    find: 'if (keptConnection.test(ending)) ',
    replace: '',
    by: [spec('lane.heads.spec', 'that nobody knows')],
  },
  {
    name: 'lane-unknown-request',
    guard: 'a request field that nobody knows is not for the fast lane',
    file: 'src/cache/api/lane/known-headers.ts',
    find: "?? { refused: 'header' }",
    replace: "?? 'irrelevant'",
    by: [spec('lane.e2e-spec', 'leaves a request to Nest because of')],
  },
  {
    name: 'lane-unknown-answer',
    guard: 'an answer with a field that nobody knows is not recorded',
    file: capture,
    find: "else if (!representationFields.has(lower)) return 'field';",
    replace: '',
    by: [spec('lane.recording.e2e-spec', 'an answer is not recorded')],
  },
  {
    name: 'lane-vary',
    guard: 'an answer that varies by more than the encoding is not recorded',
    file: capture,
    find: "if (lower === 'vary' && value !== 'Accept-Encoding') return 'field';",
    replace: '',
    by: [spec('lane.recording.e2e-spec', 'that varies by more than the encoding')],
  },
  {
    name: 'lane-agreement',
    guard: 'a field that is another each time is not recorded',
    file: capture,
    find: 'if (before === signature) return lines;',
    replace: 'return lines;',
    by: [spec('lane.recording.e2e-spec', 'with a known field that is another each time')],
  },
  {
    name: 'lane-sent',
    guard: 'what is recorded is what was sent',
    file: recorder,
    find: "if (!describes(res, chosen, body)) return void this.#refusals.set(route, 'changed');",
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
    find: 'if (!sending.chosen.settled) return undefined;',
    replace: '',
    by: [spec('representations.e2e-spec', 'has the same bytes in every encoding')],
  },
  {
    name: 'lane-guarded',
    guard: 'a route behind a guard has no place in the fast lane',
    file: routes,
    find: "if (this.#isGuarded(context)) return 'guarded';",
    replace: '',
    by: [spec('lane.routes.e2e-spec', 'never answers, and says')],
  },
  {
    name: 'lane-url',
    guard: 'another URL with the same hash is not found',
    file: urls,
    find: ' && this.#values[at]!.isAt(url)',
    replace: '',
    by: [spec('lane.urls.spec', 'nothing under another one with the same hash')],
  },
  {
    name: 'lane-url-flood',
    guard: 'URLs with one hash cost no more than a few looks',
    file: urls,
    find: 'const reach = 64;',
    replace: 'const reach = 1_000;',
    by: [spec('lane.urls.spec', 'looks no further')],
  },
];
