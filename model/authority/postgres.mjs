// @ts-check
import { historyOf } from './state.mjs';

/*
 * PostgreSQL as the authority on the generation in force, and on its own history: the statements and comparisons of
 * `src/cache/levels/l2/authority.ts`.
 */

/** @typedef {import('./state.mjs').Answer} Answer */
/** @typedef {import('./state.mjs').History} History */
/** @typedef {import('./state.mjs').Primary} Primary */
/** @typedef {import('../protocol.mjs').Rules} Rules */

/** Times, in ticks of half a second, in the proportions of the product: a use is noted late, and still before the lease is over. */
export const times = { lease: 2, noteUse: 1, unused: 2 };

/**
 * `ask`: what the primary says, and whether the use of a generation by the asking node is noted.
 * @param {Primary} pg @param {number} now @param {number} gen 0: none @param {Rules} rules
 * @returns {readonly [pg: Primary, answer: Answer]}
 */
export function ask(pg, now, gen, rules) {
  const { generation, redis, number, checkpoint, usedAt } = pg;
  const notes = rules.useIsNoted && gen !== 0 && gen === generation && usedAt < now - times.noteUse;
  const used = usedAt >= now - times.unused;
  const confirmed = gen === generation || !rules.confirmsTheNamed;
  const answer = { ...historyOf(pg), generation, redis, number, checkpoint, usedAt, confirmed, used, run: pg.run };
  return [notes ? { ...pg, usedAt: now } : pg, answer];
}

/**
 * `name`: in the place of the generation that the caller knows, if that one has certainly ended.
 * @param {Primary} pg @param {number} now @param {{ readonly gen: number, readonly redis: string, readonly before: number, readonly ends: boolean }} next
 * @param {Rules} rules @returns {Primary | undefined} undefined: refused
 */
export function name(pg, now, { gen, redis, before, ends }, rules) {
  if (rules.namesInItsPlace && pg.generation !== before) return undefined;
  if (rules.takesOverUnusedOnly && !ends && pg.usedAt >= now - times.unused) return undefined;
  return { ...pg, generation: gen, redis, usedAt: now, number: pg.number + 1 };
}

/** `follows`: whether nothing that anybody saw before has been lost since. @param {Answer} now @param {History} before @param {Rules} rules */
export function follows(now, before, rules) {
  if (rules.lineIsCompared && now.line !== before.line) return false;
  if (!rules.logIsCompared) return true;
  if (now.started === before.started) return now.lsn >= before.lsn;
  const durable = (now.durable && before.durable) || !rules.onlyDurableRestarts;
  return durable && now.checkpoint >= before.lsn;
}

/** `isSame`: whether a new connection has reached the server that was known. @param {History} a @param {History} b */
export const isSame = (a, b) => a.line === b.line && a.started === b.started;
