// @ts-check
import { execFileSync } from 'node:child_process';
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const overlayFileSystem = 0x794c7630;

/**
 * As much as can be had: what is above the hard limit cannot be set without CAP_SYS_RESOURCE.
 * @param {string} resource `n` (files) or `u` (processes) of the shell's ulimit
 * @param {number} enough
 */
function limit(resource, enough) {
  const hard = Number(execFileSync('bash', ['-c', `ulimit -H -${resource}`], { encoding: 'utf8' }));
  const value = Math.min(enough, Number.isNaN(hard) ? enough : hard);
  return `${value}:${value}`;
}

/**
 * Settings for podman and buildah that work where systemd, cgroup v2 and most of root's capabilities are missing, with
 * all state in one folder.
 * @param {string} folder
 * @returns {NodeJS.ProcessEnv} what makes them use these settings
 */
export function writeSettings(folder) {
  const path = (/** @type {string} */ name) => join(folder, name);
  for (const name of ['settings', 'networks', 'tmp']) mkdirSync(path(name), { recursive: true });

  const limits = [`nofile=${limit('n', 1_048_576)}`, `nproc=${limit('u', 4_096)}`];
  const containers = `[containers]
default_ulimits = ${JSON.stringify(limits)}
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
static_dir = "${path('graph/libpod')}"
tmp_dir = "${path('run/libpod')}"
volume_path = "${path('graph/volumes')}"
[network]
network_backend = "netavark"
network_config_dir = "${path('networks')}"
`;
  // An overlay cannot lie on another one: that is what the root of most containers is.
  const driver = statfsSync(folder).type === overlayFileSystem ? 'vfs' : 'overlay';
  const storage = `[storage]
driver = "${driver}"
graphroot = "${path('graph')}"
runroot = "${path('run')}"
`;
  writeFileSync(path('settings/containers.conf'), containers);
  writeFileSync(path('settings/storage.conf'), storage);
  return {
    CONTAINERS_CONF: path('settings/containers.conf'),
    CONTAINERS_STORAGE_CONF: path('settings/storage.conf'),
    TMPDIR: path('tmp'),
  };
}
