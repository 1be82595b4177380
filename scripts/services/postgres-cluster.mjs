// @ts-check
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { makeOwned } from './postgres-binaries.mjs';
import { run } from './run.mjs';

/** @typedef {import('./postgres-binaries.mjs').PostgresPlace} PostgresPlace */

/**
 * A data directory and how to log in to it.
 * @typedef {{ data: string, password: string }} Cluster
 */

// The C library's C.UTF-8 is not everywhere outside Linux; PostgreSQL's own sorts the same, by code point.
const LOCALE =
  process.platform === 'linux'
    ? ['--locale=C.UTF-8']
    : ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];

/**
 * The cluster of a folder, made on first use. It is made under another name and renamed at the end, so that it is
 * either complete or absent.
 * @param {PostgresPlace} place
 * @param {{ name?: string, flags?: string[], signal?: AbortSignal | undefined }} [options]
 * @returns {Promise<Cluster>}
 */
export async function openCluster(place, { name = nameFor(place), flags = [], signal } = {}) {
  const data = join(place.folder, name);
  if (!findCluster(place, name)) await create(place, data, passwordFileOf(data), flags, signal);
  adopt(data, place);
  return { data, password: readFileSync(passwordFileOf(data), 'utf8').trim() };
}

/**
 * The cluster of a folder, if there is one.
 * @param {PostgresPlace} place
 * @param {string} [name]
 * @returns {Cluster | undefined}
 */
export function findCluster(place, name = nameFor(place)) {
  const data = join(place.folder, name);
  if (!existsSync(data) || !existsSync(passwordFileOf(data))) return undefined;
  return { data, password: readFileSync(passwordFileOf(data), 'utf8').trim() };
}

const nameFor = (/** @type {PostgresPlace} */ { version }) => `postgres-${parseInt(version)}`;
const passwordFileOf = (/** @type {string} */ data) => `${data}.password`;

/**
 * @param {PostgresPlace} place
 * @param {string} data
 * @param {string} passwordFile
 * @param {string[]} flags
 * @param {AbortSignal} [signal]
 */
async function create(place, data, passwordFile, flags, signal) {
  const draft = `${data}.${process.pid}.new`;
  for (const old of [data, ...drafts(place.folder, basename(data))]) rmSync(old, { recursive: true, force: true });
  makeOwned(draft, place.account);
  writeFileSync(passwordFile, `${randomBytes(18).toString('base64url')}\n`, { mode: 0o600 });
  if (place.account) chownSync(passwordFile, place.account.uid, place.account.gid);
  await run(
    join(place.bin, 'initdb'),
    [
      `--pgdata=${draft}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--lc-messages=C',
      ...LOCALE,
      ...flags,
    ],
    { cwd: draft, account: place.account, signal },
  );
  renameSync(draft, data);
}

/**
 * @param {string} folder
 * @param {string} name
 * @returns {string[]} what a start left that was killed while it made the cluster
 */
function drafts(folder, name) {
  const found = readdirSync(folder).filter((file) => file.startsWith(`${name}.`) && file.endsWith('.new'));
  return found.map((file) => join(folder, file));
}

/**
 * PostgreSQL runs only on data of its own user, who may have got another number since.
 * @param {string} data
 * @param {PostgresPlace} place
 */
function adopt(data, { account }) {
  const { uid } = statSync(data);
  if (account && account.uid !== uid) {
    throw new Error(`${data} belongs to user ${uid}: \`chown -R ${account.uid}:${account.gid} ${data}\` or remove it`);
  }
  if (!account && uid !== process.getuid?.())
    throw new Error(`${data} belongs to user ${uid}: start as that user or remove it`);
}
