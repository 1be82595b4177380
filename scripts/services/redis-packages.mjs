// @ts-check
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runWatched } from './watched.mjs';

/**
 * @typedef {object} Fetching
 * @property {string} path the PATH to look for apt on
 * @property {(line: string) => void} say
 * @property {AbortSignal | undefined} signal
 * @property {() => boolean} usable whether what is in the cache folder now runs here
 * @property {boolean | undefined} [patient] a busy machine is waited for
 */

/**
 * Without a byte arriving for so long there is no way to the packages. The tests say so within 10 s; a start rather waits
 * for a busy machine.
 */
const STALLED_MS = 7500;
const PATIENT_STALLED_MS = 60_000;
const PACKAGES = ['redis-server', 'valkey-server'];

/**
 * @param {string} cache
 * @param {string[]} names
 * @returns {{ path: string, libraries: string[] }[]} what an earlier `fetchRedis` left
 */
export function unpackedRedis(cache, names) {
  const root = join(cache, 'root');
  if (!existsSync(root)) return [];
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const libraries = files.filter((file) => /\.so(\.\d+)*$/.test(file)).map((file) => dirname(join(root, file)));
  const binaries = names.map((name) => join(root, 'usr', 'bin', name));
  return binaries.filter((path) => existsSync(path)).map((path) => ({ path, libraries: [...new Set(libraries)] }));
}

/**
 * Downloads Redis and the libraries this machine lacks as Debian packages, and unpacks them into the cache folder.
 * Needs no root and changes nothing outside that folder. Does nothing where there is no apt or no network. Several processes
 * may do so at once: the first that is done puts its own there.
 * @param {string} cache
 * @param {Fetching} fetching
 */
export async function fetchRedis(cache, { path, say, signal, usable, patient = false }) {
  const has = (/** @type {string} */ tool) => path.split(':').some((folder) => existsSync(join(folder, tool)));
  if (!has('apt-get') || !has('dpkg')) return;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'work-'));
  for (const folder of ['lists/partial', 'cache/archives/partial', 'debs', 'root']) {
    mkdirSync(join(work, folder), { recursive: true });
  }
  const run = runWatched({
    folder: work,
    stalledMs: patient ? PATIENT_STALLED_MS : STALLED_MS,
    signal,
    env: { ...process.env, PATH: path, LC_ALL: 'C' },
  });
  try {
    say('no redis-server on PATH: unpacking the one of this system into .cache/redis (nothing is installed)');
    const own = aptWith(run, work, [`-oDir::State::lists=${join(work, 'lists')}`]);
    const downloaded =
      (await download(aptWith(run, work, []), work)) ||
      // The system's package lists are missing or out of date: use lists of our own.
      ((await own(['update'])) !== undefined && (await download(own, work)));
    if (!downloaded) return;
    for (const deb of readdirSync(join(work, 'debs'))) {
      await run('dpkg', ['-x', join(work, 'debs', deb), join(work, 'root')], work);
    }
    place(join(work, 'root'), join(cache, 'root'), usable);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * A folder is never replaced that somebody may start a server from.
 * @param {string} from
 * @param {string} to
 * @param {() => boolean} usable
 */
function place(from, to, usable) {
  try {
    renameSync(from, to);
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    if (usable()) return;
    rmSync(to, { recursive: true, force: true });
    place(from, to, usable);
  }
}

/** @typedef {(args: string[]) => Promise<string | undefined>} Apt the output, undefined when it failed */

/**
 * @param {ReturnType<typeof runWatched>} run
 * @param {string} work
 * @param {string[]} options
 * @returns {Apt}
 */
function aptWith(run, work, options) {
  const settings = join(work, 'apt.conf');
  writeFileSync(
    settings,
    [
      // Hooks of the system are meant for its own lists.
      '#clear APT::Update::Pre-Invoke; #clear APT::Update::Post-Invoke; #clear APT::Update::Post-Invoke-Success;',
      `Dir::Cache "${join(work, 'cache')}"; Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";`,
      'Acquire::Retries "1"; Acquire::http::Timeout "5"; Acquire::https::Timeout "5"; Acquire::Languages "none";',
      // apt of root hands downloads to a user of its own, who cannot write here.
      'APT::Sandbox::User "root";',
    ].join('\n'),
  );
  return (args) => run('apt-get', ['-q', '-c', settings, ...options, ...args], join(work, 'debs'));
}

/**
 * @param {Apt} apt
 * @param {string} work
 * @returns {Promise<boolean>}
 */
async function download(apt, work) {
  for (const name of PACKAGES) {
    const plan = await apt(['-s', '--no-install-recommends', 'install', name]);
    if (plan === undefined) continue;
    const missing = [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
    // Installed but not on PATH: its own packages come without being named.
    if ((await apt(['download', ...new Set([name, ...missing])])) !== undefined) return true;
    for (const deb of readdirSync(join(work, 'debs'))) rmSync(join(work, 'debs', deb));
  }
  return false;
}
