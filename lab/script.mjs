// @ts-check
import { Random } from '../verify/random.mjs';

/**
 * One thing that is to happen at a moment of the run. A node is the one that a request goes to while it is up.
 * @typedef {{ atMs: number, kind: 'read', node: number, key?: number, category?: string }} ReadCue
 * @typedef {{ atMs: number, kind: 'write', node: number, key: number, category: string, name: string, look: 'row' | 'list' }} WriteCue
 * @typedef {{ atMs: number, kind: 'sql', key: number, category: string, name: string }} SqlCue
 * @typedef {Fault<'cut'> | Fault<'heal'> | Fault<'kill'> | Fault<'start'>} FaultCue
 * @typedef {ReadCue | WriteCue | SqlCue | FaultCue} Cue
 */

/** @template {string} Kind @typedef {{ atMs: number, kind: Kind, node: number }} Fault */

/** @typedef {{ name: string, title: string, fromMs: number, untilMs: number }} Act */

/**
 * A row that is written once, while one node is cut off, and is looked at closely: its history is told in the report.
 * @typedef {{ key: number, writer: number, cutOff: number }} Witness
 */

/** @typedef {{ seed: string, rows: number, acts: Act[], cues: Cue[], witness: Witness }} Script */

/** `share` of the run's length; `pace` of its requests. */
const plan = [
  { name: 'warm-up', title: 'the caches fill', share: 3, pace: 1 },
  { name: 'calm', title: 'nothing special', share: 6, pace: 1 },
  { name: 'burst', title: 'four times as many requests', share: 6, pace: 4 },
  { name: 'cut off', title: 'node 2 does not reach Redis', share: 9, pace: 1 },
  { name: 'crash', title: 'node 1 is killed and comes back', share: 8, pace: 1 },
  { name: 'SQL', title: 'UPDATEs past the service', share: 5, pace: 1 },
  { name: 'calm again', title: 'nothing special', share: 4, pace: 1 },
];

export const rows = 200;
export const categories = /** @type {const} */ (['tools', 'toys', 'books', 'garden']);
const list = categories[0];

const perSecond = { reads: 80, writes: 12 };
const listShare = 0.08;
const moveShare = 0.1;
const sqlUpdates = 14;
const sqlRows = 10;
/** Node 1 starts first and reads the change feed: it is the one that crashes. */
const [crashing, cutOff] = [0, 1];

/** Everything that every policy is confronted with. @param {string} seed @param {number} seconds @returns {Script} */
export function writeScript(seed, seconds) {
  const random = new Random(seed);
  const acts = actsOf(seconds);
  const witness = { key: rows, writer: crashing, cutOff };
  const named = (/** @type {string} */ name) => /** @type {Act} */ (acts.find((act) => act.name === name));
  const cues = [
    ...acts.flatMap((act, i) => requests(act, plan[i]?.pace ?? 1, random.fork(act.name))),
    ...partition(named('cut off'), witness),
    ...crash(named('crash')),
    ...updates(named('SQL'), random.fork('sql')),
  ];
  return { seed, rows, acts, cues: cues.sort((a, b) => a.atMs - b.atMs), witness };
}

/** @param {number} seconds @returns {Act[]} */
function actsOf(seconds) {
  const whole = plan.reduce((sum, { share }) => sum + share, 0);
  let atMs = 0;
  return plan.map(({ name, title, share }) => {
    const fromMs = atMs;
    atMs += Math.round((seconds * 1_000 * share) / whole);
    return { name, title, fromMs, untilMs: atMs };
  });
}

/** Readers and writers who come independently of each other: exponential gaps. @param {Act} act @param {number} pace @param {Random} random @returns {Cue[]} */
function requests({ name, fromMs, untilMs }, pace, random) {
  const reads = moments(fromMs, untilMs, perSecond.reads * pace, random.fork('when to read')).map((atMs) => {
    const what = random.chance(listShare) ? { category: list } : { key: popular(random) };
    return /** @type {Cue} */ ({ atMs, kind: 'read', node: random.integer(2), ...what });
  });
  const writing = random.fork('writes');
  const writes = moments(fromMs, untilMs, perSecond.writes * pace, random.fork('when to write')).map((atMs, i) => {
    const key = popular(writing);
    const category = writing.chance(moveShare) ? writing.pick(categories) : homeOf(key);
    const look = writing.chance(listShare) ? 'list' : 'row';
    return /** @type {Cue} */ ({
      ...{ atMs, kind: 'write', node: writing.integer(2), key, category, name: `${name} ${i + 1}`, look },
    });
  });
  return [...reads, ...writes];
}

/** @param {number} fromMs @param {number} untilMs @param {number} rate per second @param {Random} random */
function moments(fromMs, untilMs, rate, random) {
  const found = [];
  for (let atMs = fromMs; ;) {
    atMs += (-Math.log(1 - random.next()) * 1_000) / rate;
    if (atMs >= untilMs) return found;
    found.push(atMs);
  }
}

/** Zipf's law: the second row is asked for half as often as the first, the third a third as often. The witness is left out. */
const cumulated = Array.from({ length: rows - 1 }, (_, i) => 1 / (i + 1)).map(
  (
    (sum) => (weight) =>
      (sum += weight)
  )(0),
);

/** @param {Random} random @returns {number} a key */
function popular(random) {
  const wanted = random.next() * (cumulated.at(-1) ?? 0);
  return cumulated.findIndex((upTo) => upTo > wanted) + 1;
}

/** Where the row is at first. @param {number} key */
export const homeOf = (key) => categories[key % categories.length] ?? list;

/** The node is cut off; shortly after, the witness is written through the other one, and read through both. @param {Act} act @param {Witness} witness @returns {Cue[]} */
function partition({ fromMs, untilMs }, { key, writer, cutOff: node }) {
  const at = (/** @type {number} */ share) => fromMs + (untilMs - fromMs) * share;
  const cutMs = at(0.12);
  const writtenMs = cutMs + 150;
  /** @type {Cue[]} */
  const before = [-450, -300, -150, -60, 60].flatMap((aroundMs) => [
    { atMs: cutMs + aroundMs, kind: 'read', node, key },
    { atMs: cutMs + aroundMs + 5, kind: 'read', node: writer, key },
  ]);
  /** @type {Cue[]} */
  const after = [];
  for (let atMs = writtenMs + 20; atMs < untilMs; atMs += atMs < writtenMs + 1_200 ? 30 : 150) {
    after.push({ atMs, kind: 'read', node, key }, { atMs: atMs + 5, kind: 'read', node: writer, key });
  }
  return [
    { atMs: cutMs, kind: 'cut', node },
    { atMs: at(0.5), kind: 'heal', node },
    { atMs: writtenMs, kind: 'write', node: writer, key, category: homeOf(key), name: 'witness', look: 'row' },
    ...before.filter(({ atMs }) => atMs >= 0),
    ...after,
  ];
}

/** @param {Act} act @returns {Cue[]} */
const crash = ({ fromMs, untilMs }) => [
  { atMs: fromMs + (untilMs - fromMs) * 0.06, kind: 'kill', node: crashing },
  { atMs: fromMs + (untilMs - fromMs) * 0.3, kind: 'start', node: crashing },
];

/** Hot rows, so that somebody reads them before the feed has told. @param {Act} act @param {Random} random @returns {Cue[]} */
function updates({ fromMs, untilMs }, random) {
  return Array.from({ length: sqlUpdates }, (_, i) => {
    const atMs = fromMs + (untilMs - fromMs) * (0.05 + (0.7 * i) / sqlUpdates);
    const key = 1 + random.integer(sqlRows);
    return { atMs, kind: 'sql', key, category: homeOf(key), name: `sql ${i + 1}` };
  });
}
