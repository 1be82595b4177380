// @ts-check
import { cost } from './scenarios/cost.mjs';
import { http } from './scenarios/http.mjs';

/**
 * @typedef {object} Surroundings
 * @property {import('../verify/undo.mjs').Undo} undo what a scenario has opened is closed by it
 * @property {AbortSignal} signal
 * @property {(line: string) => void} say
 */

/**
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} title
 * @property {(surroundings: Surroundings) => Promise<readonly import('./measure/race.mjs').Race[]>} open starts what is compared
 */

/** @type {readonly Scenario[]} */
export const scenarios = [cost, http];
