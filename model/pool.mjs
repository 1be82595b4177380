// @ts-check
import { Worker } from 'node:worker_threads';

/** @typedef {import('./worker.mjs').Task} Task */
/** @typedef {import('./tasks.mjs').Explored} Explored */
/** @typedef {import('./tasks.mjs').Hunted} Hunted */
/** @typedef {import('./tasks.mjs').Traces} Traces */
/** @typedef {Task & { readonly result: Explored | Hunted, readonly traces: Traces }} Done */

/**
 * Runs tasks on threads, each as soon as one is free.
 * @param {readonly Task[]} tasks
 * @param {{ readonly threads: number, readonly decisions: string, readonly untilMs: number, readonly onDone: (done: Done) => void }} options
 *   decisions: where the compiled module is; untilMs: wall clock
 */
export async function runTasks(tasks, { threads, decisions, untilMs, onDone }) {
  const waiting = [...tasks];
  /** @returns {Promise<void>} */
  const thread = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: { decisions, untilMs } });
      const next = () => {
        const task = waiting.shift();
        if (task) worker.postMessage(task);
        else void worker.terminate().then(() => resolve());
      };
      worker.on('error', reject);
      worker.on('message', (/** @type {Done} */ done) => {
        onDone(done);
        next();
      });
      next();
    });
  await Promise.all(Array.from({ length: Math.min(threads, tasks.length) }, thread));
}
