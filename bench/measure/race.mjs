// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {import('./slice.mjs').Slice} Slice */
/** @typedef {import('./slice.mjs').Metric} Metric */

/**
 * Something that can be kept busy for a while, and then has nothing under way.
 * @typedef {{ name: string, what: string, drive: (forMs: number) => Promise<Slice> }} Subject
 */

/**
 * One of the two bounds. `of` and `to` are names of subjects.
 * @typedef {{ of: string, to: string, metric: Metric, atLeast?: number, atMost?: number }} Target
 */

/**
 * Subjects that take turns. `control` is the one that runs against itself: two of its slices a round.
 * @typedef {{ name: string, subjects: readonly Subject[], control: string, targets: readonly Target[], rounds: number, sliceMs: number, warmUpMs: number }} Race
 */

/** @typedef {Readonly<Record<string, Slice>>} Round each subject's slice, and the control's second one */

/** The control's second slice of a round. */
export const twin = '(control)';

/** What a slice has left to others (garbage, dirty pages, sockets) is not to be the next one's. */
const pauseMs = 5;

/**
 * Short slices in turn, in another order each round: whatever else the machine does, it does to all of them.
 * @param {Race} race
 * @param {{ random: { shuffle: <T>(all: readonly T[]) => T[] }, signal: AbortSignal, onRound?: (done: number) => void }} options
 * @returns {Promise<Round[]>}
 */
export async function run({ subjects, control, rounds, sliceMs, warmUpMs }, { random, signal, onRound }) {
  const itself = subjects.find(({ name }) => name === control);
  if (!itself) throw new Error(`the control "${control}" is none of the subjects`);
  const entries = [...subjects, { ...itself, name: twin }];
  // In small pieces, so that all of them are equally warm.
  for (let warmMs = 0; warmMs < warmUpMs; warmMs += sliceMs)
    for (const { drive } of subjects) {
      signal.throwIfAborted();
      await drive(sliceMs);
    }
  /** @type {Round[]} */
  const done = [];
  while (done.length < rounds) {
    /** @type {Record<string, Slice>} */
    const round = {};
    for (const { name, drive } of random.shuffle(entries)) {
      signal.throwIfAborted();
      round[name] = await drive(sliceMs);
      await sleep(pauseMs);
    }
    done.push(round);
    onRound?.(done.length);
  }
  return done;
}
