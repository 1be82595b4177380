// @ts-check
import { cutOffMs, longestLifeMs } from '../../verify/checker/history.mjs';
import { counted, duration } from './format.mjs';

/** @typedef {import('../analysis/story.mjs').Story} Story */
/** @typedef {import('../analysis/story.mjs').Look} Look */
/** @typedef {import('../../verify/checker/history.mjs').Policy} Policy */
/** @typedef {import('../../verify/checker/history.mjs').Settings} Settings */
/** @typedef {'client' | 'node 1' | 'node 2' | 'Redis' | 'database'} Lane */
/** @typedef {{ atMs: number, from: Lane, to?: Lane, tone: 'plain' | 'old' | 'new' | 'fault', text: string }} Step */

/** @type {readonly Lane[]} */
export const lanes = ['client', 'node 1', 'node 2', 'Redis', 'database'];

/**
 * What happened to the witness, in the order of time; only what was seen is told.
 * @param {Story} story
 * @param {Policy} policy
 * @returns {Step[]}
 */
export function stepsOf(story, policy) {
  const writer = nodeLane(story.writer);
  const cutOff = nodeLane(story.cutOff);
  const { own, other, before } = looksOf(story);
  /** @type {(Step | undefined)[]} */
  const steps = [
    before && read(before, `A reader asks ${cutOff}: version 1, ${sourceOf(before)}.`),
    { atMs: story.cutMs, from: cutOff, tone: 'fault', text: `${capital(cutOff)} is cut off from Redis.` },
    { atMs: story.sentMs, from: 'client', to: writer, tone: 'plain', text: `A writer sends a PUT to ${writer}.` },
    story.toldMs === null
      ? undefined
      : { atMs: story.toldMs, from: writer, to: 'Redis', tone: 'plain', text: toldText(policy, writer, cutOff) },
    story.committedMs === null
      ? undefined
      : { atMs: story.committedMs, from: writer, to: 'database', tone: 'new', text: 'The database commits version 2.' },
    {
      ...{ atMs: 0, from: writer, to: /** @type {const} */ ('client'), tone: 'new' },
      text: `The write is acknowledged.${policy === 'ttl' ? ' Nobody was told: under ttl, a write does nothing to the cache.' : ''}`,
    },
    ...course(own, writer),
    ...course(other, cutOff),
    {
      ...{ atMs: story.healedMs, from: cutOff, to: /** @type {const} */ ('Redis'), tone: 'plain' },
      text: `${capital(cutOff)} reaches Redis again.`,
    },
  ];
  return steps.filter((step) => step !== undefined).sort((a, b) => a.atMs - b.atMs);
}

/** @param {Story} story */
function looksOf({ looks, writer, cutOff, cutMs }) {
  const after = (/** @type {number} */ node) =>
    looks.filter((look) => look.node === node && look.atMs > 0).sort((a, b) => a.atMs - b.atMs);
  const before = looks.filter(({ node, atMs, fresh }) => node === cutOff && atMs < cutMs && !fresh);
  return { own: after(writer), other: after(cutOff), before: before.sort((a, b) => a.atMs - b.atMs).at(-1) };
}

/** How a node went from old answers to right ones, maybe more than once. @param {readonly Look[]} looks @param {Lane} node @returns {Step[]} */
function course(looks, node) {
  const runs = runsOf(looks);
  const old = looks.filter(({ fresh }) => !fresh);
  const lastOld = old.at(-1);
  const steps = runs.map(([first], i) => {
    const seen = first.fresh ? 'version 2' : i === 0 ? 'still version 1' : 'version 1 again, after the new one';
    return read(first, `A reader asks ${node}: ${seen}, ${sourceOf(first)}.`);
  });
  const alone = runs.some(([first]) => first === lastOld);
  return lastOld && !alone
    ? [
        ...steps,
        read(lastOld, `The last old answer of ${node}, ${sourceOf(lastOld)}; ${counted(old.length, 'read')} got one.`),
      ]
    : steps;
}

/** Looks next to each other that saw the same. @param {readonly Look[]} looks */
function runsOf(looks) {
  /** @type {[Look, ...Look[]][]} */
  const runs = [];
  for (const look of looks) {
    const run = runs.at(-1);
    if (run && run[0].fresh === look.fresh) run.push(look);
    else runs.push([look]);
  }
  return runs;
}

/** @param {Look} look @param {string} text @returns {Step} */
const read = ({ atMs, node, fresh }, text) => ({
  ...{ atMs, from: nodeLane(node), to: 'client', tone: fresh ? 'new' : 'old', text },
});

/** @param {Look} look */
function sourceOf({ hit, detail }) {
  if (hit === 'l1') return 'from its own memory';
  if (hit === 'l2') return 'from Redis';
  if (detail === 'lease') return 'from the database, since its lease has ended';
  if (detail === 'redis' || detail === 'no-epoch') return 'from the database, since Redis does not answer it';
  return 'from the database';
}

/** @param {Policy} policy @param {Lane} writer @param {Lane} cutOff */
function toldText(policy, writer, cutOff) {
  const unheard = `Every node is told; ${cutOff} cannot hear it.`;
  if (policy === 'strict')
    return `${capital(writer)} fences the row in Redis: from now on nobody can read the old one there, or store it. Only then may it commit.`;
  if (policy === 'write-through')
    return `In one step ${writer} marks the row as changed in Redis and puts the new one there. ${unheard}`;
  return `${capital(writer)} marks the row as changed in Redis. ${unheard}`;
}

/**
 * Why that could happen, or could not.
 * @param {Story} story
 * @param {Policy} policy
 * @param {Settings} settings
 */
export function reasonOf(story, policy, settings) {
  const { own, other } = looksOf(story);
  const old = [...own, ...other].filter(({ fresh }) => !fresh);
  const worst = duration(Math.max(0, ...old.map(({ atMs }) => atMs)));
  if (policy === 'strict')
    return old.length > 0
      ? `${counted(old.length, 'old answer')}: this breaks the promise.`
      : 'Why it did not happen: under strict, no node answers from its own memory. Node 2 asked Redis each time, got no answer, and went to the database: slower, and never wrong.';
  if (old.length === 0)
    return 'This time nobody read an old answer: the lease had ended before the write was acknowledged.';
  if (policy === 'ttl')
    return `Why the policy allows it: under ttl, an answer lives until its time is over, whatever is written meanwhile. Nobody does anything wrong. The oldest was ${worst} late; ${duration(longestLifeMs(settings))} are allowed.`;
  return `Why the policy allows it: node 2 could not hear that the row had changed, and believed its memory as long as its lease lasted. That is what a lease is for: without news it ends by itself. The oldest answer was ${worst} late; a lease and a deadline, ${duration(cutOffMs(settings))}, are allowed.`;
}

/** @param {number} node @returns {Lane} */
const nodeLane = (node) => (node === 0 ? 'node 1' : 'node 2');

const capital = (/** @type {string} */ text) => text.charAt(0).toUpperCase() + text.slice(1);
