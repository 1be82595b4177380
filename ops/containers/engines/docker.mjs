// @ts-check
import { run, works } from '../run.mjs';

/**
 * What the checks need of a container engine.
 * @typedef {object} Engine
 * @property {string} name
 * @property {readonly string[]} absent services of the compose file that it has no image for
 * @property {(env: NodeJS.ProcessEnv) => Promise<void>} prepare has the base images at hand
 * @property {(env: NodeJS.ProcessEnv) => Promise<void>} build the image that the compose file names
 * @property {(args: readonly string[], env: NodeJS.ProcessEnv, always?: boolean) => Promise<string>} compose
 * @property {(args: readonly string[], always?: boolean) => Promise<string>} cli
 * @property {(env: NodeJS.ProcessEnv) => Promise<void>} close removes everything but what the checks removed
 */

/** A stack that is not up or down by then never will be. */
export const composeTimeoutMs = 300_000;
const downloadTimeoutMs = 600_000;

/** @returns {Promise<boolean>} */
export const hasDocker = async () =>
  (await works('docker', ['info'], { timeoutMs: 20_000 })) && works('docker', ['compose', 'version']);

/**
 * @param {string} project the checkout
 * @returns {Engine}
 */
export function docker(project) {
  const compose = (
    /** @type {readonly string[]} */ args,
    /** @type {NodeJS.ProcessEnv} */ env,
    always = false,
    timeoutMs = composeTimeoutMs,
  ) => run('docker', ['compose', ...args], { cwd: project, env: { ...process.env, ...env }, always, timeoutMs });
  return {
    name: 'docker',
    absent: [],
    prepare: async (env) =>
      void (await compose(['pull', 'postgres', 'redis', 'prometheus', 'grafana'], env, false, downloadTimeoutMs)),
    build: async (env) => void (await compose(['build', 'app-1'], env, false, downloadTimeoutMs)),
    compose: (args, env, always) => compose(args, env, always),
    cli: (args, always = false) => run('docker', args, { always }),
    close: async (env) => void (await works('docker', ['image', 'rm', env.STRATA_IMAGE ?? ''], { always: true })),
  };
}
