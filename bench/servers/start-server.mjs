// @ts-check
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { nodeFlags } from '../../scripts/start/node-flags.mjs';

/** @typedef {import('../../verify/undo.mjs').Undo} Undo */

/**
 * Starts one of the servers of this folder in a process of its own; it ends with us, however we end.
 * @param {string} name its file
 * @param {unknown} given what it is to answer
 * @param {Undo} undo
 * @returns {Promise<URL[]>} where it listens
 */
export async function startServer(name, given, undo) {
  // As the nodes are: with the same flags, and in a session of its own, since schedulers share out by session.
  const env = { ...process.env, NODE_ENV: 'production' };
  const child = fork(new URL(name, import.meta.url), { env, detached: true, execArgv: nodeFlags });
  undo.add(() => {
    child.kill('SIGKILL');
  });
  child.send(/** @type {import('node:child_process').Serializable} */ (given));
  const [ports] = /** @type {[number[]]} */ (await once(child, 'message'));
  return ports.map((port) => new URL(`http://127.0.0.1:${port}`));
}

/**
 * The other side of {@link startServer}.
 * @param {(given: any) => Promise<import('node:http').Server[]>} listen on free ports of this machine
 */
export function serveParent(listen) {
  // Whoever measures is gone: there is nobody to answer any more.
  process.once('disconnect', () => process.exit());
  process.once('message', async (given) => {
    const addresses = (await listen(given)).map((server) => server.address());
    process.send?.(addresses.map((address) => /** @type {import('node:net').AddressInfo} */ (address).port));
  });
}
