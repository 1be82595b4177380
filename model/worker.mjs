// @ts-check
import { parentPort, workerData } from 'node:worker_threads';
import { configurations } from './configurations.mjs';
import { mutants } from './mutants.mjs';
import { exploreConfiguration, huntMutant } from './tasks.mjs';

/** @typedef {{ readonly configuration?: number, readonly mutant?: number }} Task by index */

/** @type {{ readonly decisions: string, readonly untilMs: number }} */
const { decisions: url, untilMs } = workerData;
/** @type {import('./protocol.mjs').Decisions} */
const decisions = await import(url);
// A thread's monotonic clock begins with the thread.
const bounds = { untilMs: performance.now() + untilMs - Date.now() };

parentPort?.on('message', (/** @type {Task} */ { configuration, mutant }) => {
  if (configuration !== undefined) {
    const one = /** @type {import('./configurations.mjs').Configuration} */ (configurations[configuration]);
    parentPort?.postMessage({ configuration, ...exploreConfiguration(one, decisions, bounds) });
  } else if (mutant !== undefined) {
    const one = /** @type {import('./mutants.mjs').Mutant} */ (mutants[mutant]);
    parentPort?.postMessage({ mutant, ...huntMutant(one, configurations, decisions, bounds) });
  }
});
