import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { serviceAccount } from '../../../scripts/services/account.mjs';
import { freePort } from '../../../scripts/services/ports.mjs';
import { type Pooler } from '../pooler.js';
import { until } from '../until.js';

/** Debian installs it where only administrators look. */
const PATH = [process.env['PATH'], '/usr/sbin', '/usr/local/sbin'].join(delimiter);

export const hasPgBouncer = (): boolean =>
  spawnSync('pgbouncer', ['--version'], { env: { PATH }, stdio: 'ignore' }).status === 0;

/** A PgBouncer in transaction mode, with few connections of its own, so that clients share them. */
export async function startPgBouncer(databaseUrl: string): Promise<Pooler> {
  const { hostname, port, username, password } = new URL(databaseUrl);
  const folder = mkdtempSync(join(tmpdir(), 'pgbouncer-'));
  const ownPort = await freePort();
  const [users, settings] = [join(folder, 'users.txt'), join(folder, 'pgbouncer.ini')];
  writeFileSync(users, `"${decodeURIComponent(username)}" "${decodeURIComponent(password)}"\n`);
  writeFileSync(
    settings,
    `[databases]
     * = host=${hostname} port=${port}
     [pgbouncer]
     listen_addr = 127.0.0.1
     listen_port = ${ownPort}
     unix_socket_dir =
     auth_type = trust
     auth_file = ${users}
     pool_mode = transaction
     default_pool_size = 3`.replaceAll(/^ +/gm, ''),
  );
  // It refuses to run as root, and reads its files before and after it has become somebody else.
  for (const path of [folder, users, settings]) chmodSync(path, 0o755);
  const account = serviceAccount();
  const child = spawn('pgbouncer', [settings], { env: { PATH }, stdio: 'ignore', cwd: '/', ...account });
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`PgBouncer has ended (${child.exitCode})`);
    const socket = connect(ownPort, '127.0.0.1');
    const answers = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    return answers;
  });
  return {
    through: (url) => Object.assign(new URL(url), { port: String(ownPort) }).href,
    async stop() {
      if (child.exitCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
