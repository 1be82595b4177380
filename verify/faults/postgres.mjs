// @ts-check
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, readdirSync, rmSync, statSync, writeFileSync, appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { FaultProxy } from '../../test/support/fault-proxy/fault-proxy.mjs';
import { goneBackMs } from '../checker/history.mjs';
import { committedIn } from '../database.mjs';

/** @typedef {import('./faults.mjs').World} World */
/** @typedef {import('./faults.mjs').Detail} Detail */
/** @typedef {import('../random.mjs').Random} Random */
/** @typedef {import('../services.mjs').PrivatePostgres} PrivatePostgres */
/** @typedef {import('../../scripts/services/postgres.mjs').Postgres} Postgres */

const streamingMs = 20_000;

/** What happens to the PostgreSQL server and its data. */
export const postgresFaults = {
  /** A power cut of the process, or an orderly end; nothing that was acknowledged is lost. @param {World} world @param {Random} random @returns {Promise<Detail>} */
  async 'pg-restart'(world, random) {
    const postgres = own(world);
    const hard = random.chance(0.5);
    await (hard ? postgres.kill() : postgres.shutDown());
    await sleep(random.between(0, 1_000));
    await postgres.restart();
    return hard ? 'killed' : 'shut down';
  },

  /** The data directory of a moment ago is put back: the same system, the same timeline. @param {World} world @param {Random} random @returns {Promise<Detail>} */
  async 'pg-restore'(world, random) {
    const postgres = own(world);
    const withSlots = random.chance(0.5);
    const copy = await copyOf(postgres, world, { withSlots });
    await sleep(random.between(200, 1_200));
    const fromMs = performance.now();
    await postgres.shutDown();
    const kept = await stateOf(await postgres.startAside(copy), world, nextEra(world));
    await goBackTo(copy, kept, fromMs, world);
    return withSlots ? 'with its slots' : 'without slots';
  },

  /** A standby that has not received the last commits takes over the address: a new timeline. @param {World} world @param {Random} random @returns {Promise<Detail>} */
  async 'pg-promote'(world, random) {
    const postgres = own(world);
    const way = await FaultProxy.to({ port: postgres.port });
    try {
      const copy = await copyOf(postgres, world, { withSlots: false });
      const login = `host=127.0.0.1 port=${way.port} user=postgres password=${postgres.password}`;
      appendFileSync(join(copy, 'postgresql.auto.conf'), `primary_conninfo = '${login}'\n`);
      ownedFile(copy, 'standby.signal', '');
      const standby = await postgres.startAside(copy);
      await asSuperuser(standby.url('postgres'), streams);
      await sleep(random.between(0, 300));
      await way.close();
      await sleep(random.between(50, 600));
      const fromMs = performance.now();
      await postgres.kill();
      await asSuperuser(standby.url('postgres'), (client) => client.query('SELECT pg_promote(true, 20)'));
      const kept = await stateOf(standby, world, nextEra(world));
      await goBackTo(copy, kept, fromMs, world);
    } finally {
      await way.close();
    }
  },
};

/** @param {World} world @returns {PrivatePostgres} */
function own({ postgres }) {
  if (!postgres) throw new Error('this fault needs a PostgreSQL of the run itself');
  return postgres;
}

/** @param {World} world */
const nextEra = ({ recorder }) => recorder.losses.length + 1;

/** A base backup beside the data, with everything written until now. @param {PrivatePostgres} postgres @param {World} world @param {{ withSlots: boolean }} options */
async function copyOf(postgres, { recorder }, { withSlots }) {
  const { data } = postgres;
  const copy = `${data.replace(/\.era\d+$/, '')}.era${recorder.losses.length + 1}`;
  rmSync(copy, { recursive: true, force: true });
  await asSuperuser(postgres.url, async (client) => {
    await client.query("SELECT pg_backup_start('verify', true)");
    // Files may come and go meanwhile: what is needed of them is in the log.
    spawnSync('cp', ['-a', data, copy]);
    const { rows } = await client.query('SELECT labelfile FROM pg_backup_stop(false)');
    rmSync(join(copy, 'pg_wal'), { recursive: true });
    spawnSync('cp', ['-a', join(data, 'pg_wal'), join(copy, 'pg_wal')]);
    ownedFile(copy, 'backup_label', rows[0].labelfile);
  });
  for (const file of ['postmaster.pid', 'postmaster.opts']) rmSync(join(copy, file), { force: true });
  const slots = join(copy, 'pg_replslot');
  if (!withSlots) for (const slot of readdirSync(slots)) rmSync(join(slots, slot), { recursive: true });
  if (!existsSync(join(copy, 'global', 'pg_control'))) throw new Error(`${data} was not copied`);
  return copy;
}

/** @param {string} folder @param {string} name @param {string} text */
function ownedFile(folder, name, text) {
  const { uid, gid } = statSync(folder);
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  chownSync(join(folder, name), uid, gid);
}

/** Until a standby receives what its primary writes. @param {pg.Client} client */
async function streams(client) {
  const giveUpAtMs = performance.now() + streamingMs;
  while (performance.now() < giveUpAtMs) {
    if ((await client.query("SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'")).rowCount) return;
    await sleep(20);
  }
  throw new Error('the standby does not receive anything');
}

/**
 * What a server that nobody else knows has of the run's database. It is stopped afterwards.
 * @param {Postgres} server
 * @param {World} world
 * @param {number} [era] begins there
 */
async function stateOf(server, { database }, era) {
  try {
    return await asSuperuser(server.url(new URL(database.url).pathname.slice(1)), async (client) => {
      if (era !== undefined) await client.query('UPDATE verify_era SET era = $1', [era]);
      return await committedIn(client);
    });
  } finally {
    await server.stop();
  }
}

/**
 * Continues with a copy, and notes what the database has lost by that.
 * @param {string} copy
 * @param {import('../checker/history.mjs').Committed[]} kept
 * @param {number} fromMs
 * @param {World} world
 */
async function goBackTo(copy, kept, fromMs, world) {
  const postgres = own(world);
  const before = postgres.data;
  const all = await stateOf(await postgres.startAside(before), world);
  await postgres.continueWith(copy);
  const untilMs = performance.now();
  rmSync(before, { recursive: true, force: true });
  const idOf = (/** @type {import('../checker/history.mjs').Committed} */ { key, era, version }) =>
    `${key} ${era} ${version}`;
  const ids = new Set(kept.map(idOf));
  world.database.lose(all.filter((note) => !ids.has(idOf(note))));
  /** @type {Map<import('../checker/history.mjs').Key, number>} */
  const newest = new Map();
  for (const { key, version } of kept) newest.set(key, Math.max(version, newest.get(key) ?? 0));
  world.recorder.losses.push({ era: nextEra(world), fromMs, untilMs, kept: [...newest] });
  // A server that is away again could not be asked what it has lost.
  await sleep(goneBackMs(world.settings));
}

/** @template T @param {string} url @param {(client: pg.Client) => Promise<T>} work @returns {Promise<T>} */
async function asSuperuser(url, work) {
  const client = new pg.Client({ connectionString: url, application_name: 'verify' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
