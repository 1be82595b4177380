// @ts-check
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../run.mjs';
import { aptProxies, certificates, mirror, npmSettings, release } from './host.mjs';

/** @typedef {import('./make-standins.mjs').Place} Place */

const npmVersion = '11';

/** What the entry point of the original does: options alone are options of node. */
const entryPoint = `#!/bin/sh
set -e
if [ "\${1#-}" != "$1" ] || [ -z "$(command -v "$1")" ]; then set -- node "$@"; fi
exec "$@"
`;

/** No service of a package starts while an image is built. */
const noServices = '#!/bin/sh\nexit 101\n';

/**
 * The distribution's minimal system with Node.js from npm's registry and the user `node` (1000).
 * @param {string} name such as `docker.io/library/node:24-bookworm-slim`
 * @param {Place} place
 */
export async function makeNodeImage(name, { folder, env }) {
  const major = /node:(\d+)/.exec(name)?.[1] ?? '';
  const system = join(folder, 'system');
  rmSync(system, { recursive: true, force: true });
  const options = ['--variant=minbase', '--include=ca-certificates'];
  await run('debootstrap', [...options, release(), system, ...(await mirror())]);
  await installNode(system, major, join(folder, 'tmp'));
  await useSettingsOfHost(system);
  write(system, 'usr/local/bin/docker-entrypoint.sh', entryPoint, 0o755);
  write(system, 'usr/sbin/policy-rc.d', noServices, 0o755);
  const account = 'groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node';
  await run('chroot', [system, '/bin/sh', '-c', `${account}; apt-get clean; rm -rf /var/lib/apt/lists/*`]);
  await commit(system, name, env);
  rmSync(system, { recursive: true, force: true });
}

/**
 * @param {string} system
 * @param {string} major
 * @param {string} scratch
 */
async function installNode(system, major, scratch) {
  const packed = await run(
    'npm',
    ['pack', '--silent', `node-${process.platform}-${process.arch}@${major}`, `npm@${npmVersion}`],
    { cwd: scratch },
  );
  const [node = '', npm = ''] = packed.split('\n').slice(-2);
  const local = join(system, 'usr/local');
  const unpack = ['--strip-components=2', '-C', join(local, 'bin'), 'package/bin/node'];
  await run('tar', ['-xzf', join(scratch, node), '--no-same-owner', ...unpack]);
  mkdirSync(join(local, 'lib/node_modules/npm'), { recursive: true });
  const whole = ['--strip-components=1', '-C', join(local, 'lib/node_modules/npm')];
  await run('tar', ['-xzf', join(scratch, npm), '--no-same-owner', ...whole]);
  chmodSync(join(local, 'bin/node'), 0o755);
  for (const command of ['npm', 'npx']) {
    const target = `../lib/node_modules/npm/bin/${command}-cli.js`;
    symlinkSync(target, join(local, 'bin', command));
    chmodSync(join(local, 'bin', target), 0o755);
  }
  for (const file of [node, npm]) rmSync(join(scratch, file));
}

/**
 * A build inside reaches the same registries in the same way as this machine does.
 * @param {string} system
 */
async function useSettingsOfHost(system) {
  write(system, 'etc/ssl/certs/ca-certificates.crt', certificates());
  write(system, 'usr/local/etc/npmrc', await npmSettings());
  write(system, 'etc/apt/apt.conf.d/80proxy', await aptProxies());
}

/**
 * @param {string} system
 * @param {string} name
 * @param {string} text
 * @param {number} [mode]
 */
function write(system, name, text, mode = 0o644) {
  mkdirSync(join(system, name, '..'), { recursive: true });
  writeFileSync(join(system, name), text);
  chmodSync(join(system, name), mode);
}

/**
 * @param {string} system
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 */
async function commit(system, name, env) {
  const container = await run('buildah', ['from', 'scratch'], { env });
  const root = await run('buildah', ['mount', container], { env });
  // Not `buildah add`: it gives every file to root.
  await run('bash', ['-c', 'set -o pipefail; tar -C "$0" -cf - . | tar -C "$1" -xpf - --same-owner', system, root]);
  await run('buildah', ['umount', container], { env });
  const variables = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/ca-certificates.crt',
  };
  const flags = Object.entries(variables).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
  const start = ['--entrypoint', '["docker-entrypoint.sh"]', '--cmd', 'node'];
  await run('buildah', ['config', ...flags, ...start, container], { env });
  await run('buildah', ['commit', '--quiet', '--format', 'docker', '--rm', container, name], { env });
}
