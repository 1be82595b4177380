// @ts-check
import { cpSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DATA, ROOT } from '../scripts/services/folders.mjs';
import { openCluster } from '../scripts/services/postgres-cluster.mjs';
import { placePostgres } from '../scripts/services/postgres-binaries.mjs';
import { startPostgres } from '../scripts/services/postgres.mjs';
import { childrenOf, identify, signalTo } from '../scripts/services/process.mjs';
import { recordsIn } from '../scripts/services/records.mjs';
import { HOW_TO_GET_REDIS, findRedis } from '../scripts/services/redis-binary.mjs';
import { startRedis } from '../scripts/services/redis.mjs';
import { openTestFolder } from '../scripts/services/test-folder.mjs';

/** @typedef {import('./undo.mjs').Undo} Undo */

/** Quick to start and to end; what is committed is visible at the same moment as in production. */
const quickSettings = [
  ...['fsync=off', 'full_page_writes=off', 'max_connections=200', 'shared_buffers=64MB', 'deadlock_timeout=100ms'],
];

/**
 * A folder of this run, with a copy of the built service: a build that others start meanwhile does not change it.
 * @param {Undo} undo
 */
export async function openRunFolder(undo) {
  const folder = await openTestFolder(DATA);
  undo.add(() => rmSync(folder, { recursive: true, force: true }));
  const dist = join(folder, 'dist');
  cpSync(join(ROOT, 'dist'), dist, { recursive: true });
  return { folder, dist };
}

/**
 * @param {string} folder
 * @param {Undo} undo
 * @param {AbortSignal} signal
 * @param {string[]} [settings]
 * @returns {Promise<string>} URL of the superuser
 */
export async function providePostgres(folder, undo, signal, settings = quickSettings) {
  return (await PrivatePostgres.start(folder, undo, signal, settings)).url;
}

/** A PostgreSQL that can be killed, and started again on the same port with what was committed. */
export class PrivatePostgres {
  #options;
  #server;

  /** @param {Parameters<typeof startPostgres>[0]} options @param {import('../scripts/services/postgres.mjs').Postgres} server */
  constructor(options, server) {
    this.#options = options;
    this.#server = server;
  }

  /** @param {string} folder @param {Undo} undo @param {AbortSignal} signal @param {string[]} [settings] */
  static async start(folder, undo, signal, settings = quickSettings) {
    const place = placePostgres(DATA);
    const own = place.folder === DATA ? folder : await openTestFolder(place.folder);
    if (own !== folder) undo.add(() => rmSync(own, { recursive: true, force: true }));
    const options = {
      place: { ...place, folder: own },
      cluster: await openCluster({ ...place, folder: own }, { name: 'verify', flags: ['--no-sync'], signal }),
      log: join(folder, 'postgres.log'),
      records: recordsIn(folder),
      settings,
      onEnd: /** @type {const} */ ('SIGQUIT'),
    };
    const postgres = new PrivatePostgres(options, await startPostgres(options));
    undo.add(() => postgres.#server.stop());
    return postgres;
  }

  /** Of the superuser. */
  get url() {
    return this.#server.url('postgres');
  }

  get port() {
    return this.#server.port;
  }

  get password() {
    return this.#options.cluster.password;
  }

  /** Where its data are. */
  get data() {
    return this.#options.cluster.data;
  }

  /** Another server of these data, on a port of its own. @param {string} data */
  startAside(data) {
    return startPostgres({
      ...this.#options,
      cluster: { ...this.#options.cluster, data },
      log: `${this.#options.log}.aside.log`,
    });
  }

  /** Sessions are ended, what is committed is written, the server ends. */
  async shutDown() {
    await this.#server.process.stop(['SIGINT', 'SIGQUIT'], 10_000);
  }

  /** Starts with other data on the port that everybody knows. @param {string} data */
  async continueWith(data) {
    this.#options = { ...this.#options, cluster: { ...this.#options.cluster, data } };
    await this.restart();
  }

  /** The server and all its sessions at once, as a power cut does. */
  async kill() {
    const { identity } = this.#server.process;
    signalTo(identity, 'SIGSTOP'); // It starts no more sessions.
    for (const pid of childrenOf(identity.pid)) signalTo(identify(pid) ?? { pid, started: '' }, 'SIGKILL');
    await this.#server.process.stop(['SIGKILL'], 5_000);
  }

  async restart() {
    this.#server = await startPostgres({ ...this.#options, port: this.#server.port });
  }
}

/** A Redis that can be killed, emptied and started again on the same port. */
export class PrivateRedis {
  #options;
  #server;

  /** @param {Parameters<typeof startRedis>[0]} options @param {import('../scripts/services/redis.mjs').Redis} server */
  constructor(options, server) {
    this.#options = options;
    this.#server = server;
  }

  /** @param {string} folder @param {Undo} undo @param {AbortSignal} signal @param {string} [name] */
  static async start(folder, undo, signal, name = 'redis') {
    const binary = await findRedis({ say: (line) => console.error(line), signal });
    if (!binary) throw new Error(`a run needs Redis and there is none here. To get one: ${HOW_TO_GET_REDIS}`);
    const options = {
      binary,
      folder: join(folder, name),
      log: join(folder, `${name}.log`),
      records: recordsIn(folder),
      args: ['--save', '', '--appendonly', 'no'],
      onEnd: /** @type {const} */ ('SIGKILL'),
    };
    const redis = new PrivateRedis(options, await startRedis(options));
    undo.add(() => redis.kill());
    return redis;
  }

  get port() {
    return this.#server.port;
  }

  async kill() {
    await this.#server.process.stop(['SIGKILL'], 5_000);
  }

  /** Empty, or with what it saved last. */
  async restart({ withSaved = false } = {}) {
    if (!withSaved) rmSync(join(this.#options.folder, 'dump.rdb'), { force: true });
    this.#server = await startRedis({ ...this.#options, port: this.port });
  }

  /** It stops answering; its connections stay. */
  pause() {
    signalTo(this.#server.process.identity, 'SIGSTOP');
  }

  resume() {
    signalTo(this.#server.process.identity, 'SIGCONT');
  }

  flush() {
    return this.#command('FLUSHALL');
  }

  /** Writes an RDB file. */
  save() {
    return this.#command('SAVE');
  }

  /** @param {string} command @returns {Promise<void>} */
  #command(command) {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', () => socket.write(`${command}\r\n`));
      socket.once('error', reject);
      socket.once('data', (answer) => {
        socket.destroy();
        if (String(answer).startsWith('+OK')) resolve();
        else reject(new Error(`${command}: ${String(answer)}`));
      });
    });
  }
}
