// @ts-check
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeStandins } from '../standins/make-standins.mjs';
import { composeTimeoutMs } from './docker.mjs';
import { endGroup, run, until, works } from '../run.mjs';
import { chainsBefore } from './firewall.mjs';
import { writeSettings } from './podman-settings.mjs';

/** @typedef {import('./docker.mjs').Engine} Engine */

/** Debian's packages with everything this engine needs. */
export const packages =
  'buildah podman runc conmon netavark aardvark-dns iptables iproute2 docker-compose debootstrap'.split(' ');

/** @returns {Promise<boolean>} */
export async function hasPodman() {
  const commands = ['buildah', 'podman', 'runc', 'docker-compose'].map((command) => works(command, ['--version']));
  return (await Promise.all(commands)).every(Boolean) && works('debootstrap', ['--version']);
}

/**
 * For machines without Docker and without its registry: buildah builds the Dockerfile, Debian's docker-compose talks to
 * podman's socket, and the base images are stand-ins made of the distribution's packages. Needs root.
 * @param {string} project the checkout
 * @param {string} folder for images, containers and settings
 * @param {boolean} keep the base images, for a later run in the same folder
 * @returns {Engine}
 */
export function podman(project, folder, keep) {
  const restoreFirewall = chainsBefore();
  const socket = join(folder, 'podman.sock');
  const env = { ...process.env, ...writeSettings(folder) };
  /** @type {Engine['cli']} */
  const cli = (args, always = false) => run('podman', args, { env, always });
  /** @type {ReturnType<typeof spawn> | undefined} */
  let service;
  /** @type {Promise<void> | undefined} */
  let asking;

  /** Without systemd nobody else would run the containers' health checks. */
  async function askForHealth() {
    while (service?.exitCode === null) {
      const ids = await cli(['ps', '-q'], true).catch(() => '');
      const asked = ids.split('\n').filter(Boolean);
      await Promise.all(asked.map((id) => works('podman', ['healthcheck', 'run', id], { env, always: true })));
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }

  return {
    name: 'podman, stand-in base images',
    absent: ['grafana'],

    async prepare() {
      await makeStandins({ project, folder, env });
      service = spawn('podman', ['system', 'service', '--time', '0', `unix://${socket}`], {
        env,
        detached: true,
        stdio: 'ignore',
      });
      await until(async () => existsSync(socket) || undefined, { what: 'podman listens', timeoutMs: 20_000 });
      asking = askForHealth();
    },

    async build({ STRATA_IMAGE = '' }) {
      // Docker's own image format: the other one has no health checks.
      const options = ['--format', 'docker', '--pull-never', '--isolation', 'chroot'];
      await run('buildah', ['bud', ...options, '-t', `docker.io/library/${STRATA_IMAGE}`, project], { env });
    },

    compose: (args, more, always = false) =>
      run('docker-compose', args, {
        cwd: project,
        env: { ...env, ...more, DOCKER_HOST: `unix://${socket}`, COMPOSE_HTTP_TIMEOUT: '120' },
        always,
        timeoutMs: composeTimeoutMs,
      }),
    cli,

    async close({ STRATA_IMAGE = '' }) {
      endGroup(service?.pid);
      if (service && service.exitCode === null) await new Promise((resolve) => service?.once('exit', resolve));
      await asking;
      await works('podman', ['rm', '-fa', '-t', '0'], { env, always: true });
      await works('podman', ['volume', 'rm', '-fa'], { env, always: true });
      await works('podman', ['network', 'prune', '-f'], { env, always: true });
      if (keep) {
        await works('podman', ['rmi', '-f', STRATA_IMAGE], { env, always: true });
        await works('podman', ['image', 'prune', '-f'], { env, always: true });
      } else await removeFolder(folder, env);
      restoreFirewall();
    },
  };
}

/**
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} env
 */
async function removeFolder(folder, env) {
  await works('buildah', ['rm', '--all'], { env, always: true });
  await works('podman', ['rmi', '-fa'], { env, always: true });
  // The driver leaves its own folder mounted on itself.
  await works('umount', [join(folder, 'graph', 'overlay')], { always: true });
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Removes what an earlier run left that was killed.
 * @param {string} folder
 */
export async function removeRemains(folder) {
  const env = { ...process.env, ...writeSettings(folder) };
  await works('podman', ['rm', '-fa', '-t', '0'], { env });
  await removeFolder(folder, env);
}
