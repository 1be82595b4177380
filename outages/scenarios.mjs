// @ts-check
import { drain } from './scenarios/drain.mjs';
import { keyFlood } from './scenarios/key-flood.mjs';
import { memory } from './scenarios/memory.mjs';
import { overload } from './scenarios/overload.mjs';
import { passwordRotated } from './scenarios/password.mjs';
import { postgresRestart } from './scenarios/postgres-restart.mjs';
import { redisRestarts } from './scenarios/redis-restarts.mjs';
import { redisStopped } from './scenarios/redis-stopped.mjs';
import { slowReaders } from './scenarios/slow-readers.mjs';
import { writerKilled } from './scenarios/writer-killed.mjs';

/** @typedef {import('../verify/checker/history.mjs').Policy} Policy */

/** A sentence that must be true, and what was seen. @typedef {{ claim: string, met: boolean, seen: string }} Requirement */

/** @typedef {{ requirements: Requirement[], figures: Record<string, unknown> }} Outcome */

/**
 * What a scenario works with.
 * @typedef {import('../verify/command.mjs').Surroundings & {
 *   policy: Policy, size: Record<string, number>, random: import('../verify/random.mjs').Random }} Stage
 */

/**
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} title
 * @property {Policy} policy
 * @property {Record<string, number>} full its size when it counts
 * @property {Record<string, number>} short
 * @property {(stage: Stage) => Promise<Outcome>} run
 */

/** @type {readonly Scenario[]} */
export const scenarios = [
  ...[
    redisRestarts,
    passwordRotated,
    postgresRestart,
    writerKilled,
    redisStopped,
    overload,
    drain,
    keyFlood,
    slowReaders,
    memory,
  ],
];
