// @ts-check
import { commandOf, identify, isRunning, parentOf } from '../services/process.mjs';

/** @typedef {import('../services/process.mjs').ProcessIdentity} ProcessIdentity */

const LOOK_EVERY_MS = 250;

/**
 * The npm that runs us, if any: when it is gone, nobody wants us any more.
 * @returns {ProcessIdentity | undefined}
 */
export function launcher() {
  if (!process.env['npm_lifecycle_event']) return undefined;
  let pid = process.ppid;
  // npm runs scripts through a shell, which may or may not have replaced itself.
  for (let depth = 0; depth < 3 && pid > 1; depth++) {
    if (/\b(npm|yarn|pnpm)\b/.test(commandOf(pid))) return identify(pid);
    pid = parentOf(pid) ?? 0;
  }
  return undefined;
}

/**
 * npm hands SIGTERM to the shell between us, which dies of it without a word, and nobody can hand on SIGKILL.
 * @param {() => void} whenGone
 */
export function watchLauncher(whenGone) {
  const npm = launcher();
  if (!npm) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    // Elsewhere than on Linux, looking at another process costs a process.
    if (process.ppid === parent && (process.platform !== 'linux' || isRunning(npm))) return;
    clearInterval(timer);
    whenGone();
  }, LOOK_EVERY_MS);
  timer.unref();
}
