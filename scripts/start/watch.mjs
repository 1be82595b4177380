// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} WatchedBuild
 * @property {() => Promise<void>} next resolves after the next build without errors
 */

const BUILD = fileURLToPath(new URL('watching-build.mjs', import.meta.url));

/**
 * Builds a project, and again after every change of its sources; the compiler's messages go to the terminal.
 * @param {string} root
 * @param {import('./command.mjs').Command} command
 * @returns {Promise<WatchedBuild>} after the first build without errors
 */
export async function watchBuild(root, { signal, atEnd }) {
  signal.throwIfAborted();
  // In a process group of its own, so that Ctrl-C does not end the compiler before the application.
  const compiler = spawn(process.execPath, [BUILD], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
  const exited = once(compiler, 'exit');
  atEnd(async () => {
    compiler.kill();
    await exited;
  });
  const broken = exited.then(([code, killedBy]) => {
    throw new Error(`the compiler has ended (${code ?? killedBy})`);
  });
  broken.catch(() => undefined);
  const next = async () => void (await Promise.race([once(compiler, 'message', { signal }), broken]));
  await next();
  return { next };
}

/**
 * Runs the application, and starts it again after every build. An application that ends by itself starts again after the
 * next one.
 * @param {WatchedBuild} build
 * @param {object} options
 * @param {AbortSignal} options.signal ends the application and this function
 * @param {(line: string) => void} options.say
 * @param {(signal: AbortSignal) => Promise<number>} options.start runs the application until the signal
 * @returns {Promise<number>} the exit code of the last run
 */
export async function restartOnBuild(build, { signal, say, start }) {
  for (;;) {
    const restart = new globalThis.AbortController();
    const built = build.next().finally(() => restart.abort('SIGTERM'));
    built.catch(() => undefined);
    const code = await start(AbortSignal.any([signal, restart.signal]));
    if (signal.aborted) return code;
    say(restart.signal.aborted ? 'restarting' : `the application has ended (${code}): it starts again after a change`);
    await built;
  }
}
