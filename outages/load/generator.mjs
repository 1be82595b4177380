// @ts-check
import { fork } from 'node:child_process';
import { once } from 'node:events';

/** @typedef {import('./open-loop.mjs').Job} Job */
/** @typedef {import('./open-loop.mjs').LoadResult} LoadResult */

/** Load on a server from another process, which ends with us. @param {Job} job @returns {Promise<LoadResult>} */
export const generateLoad = async (job) => (await startLoad(job)).result;

/** Resolves once its connections are open and the first request is due. @param {Job} job @returns {Promise<{ result: Promise<LoadResult> }>} */
export async function startLoad(job) {
  const child = fork(new URL('./open-loop.mjs', import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the load has ended by itself (${code})`);
  });
  const message = async () => (await Promise.race([once(child, 'message'), ended]))[0];
  child.send(job);
  await message();
  const result = message();
  result.catch(() => undefined);
  return { result };
}
