import { Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { wideXid } from '../../core/wide-xid.js';
import { CacheEvents } from '../../events.js';
import { generationChannel, initKey, recordKey } from './keys.js';
import { policyLockId } from './policy-lock.js';
import { type RedisClient } from './redis-client.js';
import { scripts } from './scripts.js';
import { sweepEarlierGenerations } from './sweep.js';

/** How long one node may take to install a generation before another may try, in ms. */
const initTimeoutMs = 2_000;

type Identities = Readonly<Record<'run_id' | 'master_replid' | 'pg_system' | 'pg_timeline' | 'pg_database', string>>;

/**
 * A transaction of its own that ends at once, and the writers that run meanwhile: those that hold the policy lock and have
 * an id. A transaction becomes visible before it releases its locks, so every snapshot from the end of this one on sees
 * those that are not listed. Not from `pg_current_snapshot()`: it lists no id above the last that has ended.
 */
const takeEpoch = `
  SELECT pg_current_xact_id()::text AS epoch, array(
           SELECT own.transactionid::text FROM pg_locks AS own JOIN pg_locks AS policy USING (virtualtransaction)
            WHERE own.locktype = 'transactionid' AND own.granted AND policy.locktype = 'advisory' AND policy.granted
              AND policy.classid = 0 AND policy.objid = ${policyLockId} AND policy.objsubid = 1
              AND policy.database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS writers`;

/**
 * The generation of a Redis data set as seen with a PostgreSQL: a random name under which all keys live, and where it
 * begins (the epoch, and the writers that were running): what its fences can be trusted to know. It is bound to the identities of both
 * servers: whenever one of them is not the server that it was, nothing that is stored can be trusted, and a new
 * generation begins.
 */
@Injectable()
export class GenerationRecord {
  readonly #logger = new Logger('Cache');
  #evictionPolicy = '';

  constructor(
    private readonly dataSource: DataSource,
    private readonly events: CacheEvents,
  ) {}

  /** `maxmemory-policy` of the server that was last identified. */
  get evictionPolicy(): string {
    return this.#evictionPolicy;
  }

  /**
   * The generation that is valid for the servers at hand, installed by this node if there is none.
   * Undefined while another node is installing one.
   */
  async establish(client: RedisClient): Promise<string | undefined> {
    const identities = await this.#identities(client);
    const record = await client.hGetAll(recordKey);
    if (!madeFor(record, identities)) return this.#install(client, identities, record['gen']);
    const writers = (record as Partial<Record<'writers', string>>).writers?.match(/\d+/g) ?? [];
    this.events.emit({ type: 'generation', gen: record['gen'], fresh: false, writers });
    return record['gen'];
  }

  /** Begins a new generation whatever the identities: everything that is cached becomes unreachable at once. */
  async renew(client: RedisClient): Promise<string | undefined> {
    const identities = await this.#identities(client);
    const record = await client.hGetAll(recordKey);
    return this.#install(client, identities, record['gen']);
  }

  /**
   * In two steps. First the right to is claimed, which ends the generation before; only then is the epoch taken, and are
   * the running writers listed. In the other order, a writer that begins after the epoch could still fence in the old
   * generation, and the new one would know nothing of it.
   * @param previous the generation that is to end, if there is one; should another have taken its place, nothing happens
   */
  async #install(
    client: RedisClient,
    identities: Identities,
    previous: string | undefined,
  ): Promise<string | undefined> {
    const keys = [initKey, recordKey];
    const nonce = randomUUID();
    const claim = [nonce, String(initTimeoutMs), previous ?? ''];
    if ((await client.eval(scripts.claimGeneration.text, { keys, arguments: claim })) !== 1) return undefined;
    const [{ epoch, writers: low }] = await this.dataSource.query<[{ epoch: string; writers: string[] }]>(takeEpoch);
    const writers = low.map((xid) => String(wideXid(Number(xid), BigInt(epoch))));
    const gen = randomUUID();
    const installed = await client.eval(scripts.installGeneration.text, {
      keys,
      arguments: [
        ...[nonce, gen, epoch, generationChannel],
        ...Object.entries({ ...identities, writers: writers.join(',') }).flat(),
      ],
    });
    if (installed !== 1) return undefined;
    this.#logger.log(`a new cache generation begins at transaction ${epoch}`);
    this.events.emit({ type: 'generation', gen, fresh: true, writers });
    sweepEarlierGenerations(client, gen).catch((error: Error) => this.#logger.debug(`not swept: ${error.message}`));
    return gen;
  }

  async #identities(client: RedisClient): Promise<Identities> {
    const info = await client.info();
    this.#evictionPolicy = field(info, 'maxmemory_policy');
    const [row] = await this.dataSource.query<[{ system: string; timeline: string; database: string }]>(
      `SELECT system_identifier::text AS system, substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS timeline,
              (SELECT oid::text FROM pg_database WHERE datname = current_database()) AS database
         FROM pg_control_system()`,
    );
    return {
      run_id: field(info, 'run_id'),
      master_replid: field(info, 'master_replid'),
      pg_system: row.system,
      pg_timeline: row.timeline,
      pg_database: row.database,
    };
  }
}

/** Whether a record was made for these servers. */
function madeFor(record: Readonly<Record<string, string>>, identities: Identities): record is Record<'gen', string> {
  return Object.entries(identities).every(([name, value]) => record[name] === value);
}

function field(info: string, name: string): string {
  return new RegExp(`^${name}:(\\S*)`, 'm').exec(info)?.[1] ?? '';
}
