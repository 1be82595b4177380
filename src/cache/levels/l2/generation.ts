import { Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { Clock } from '../../clock.js';
import { UnusableRedisError } from '../../cache.errors.js';
import { CacheEvents } from '../../events.js';
import { admit } from './admission.js';
import { Authority, follows, type History, type Primary } from './authority.js';
import { isDatabaseUnavailable } from '../../../database/index.js';
import { type Deadlines } from './deadlines.js';
import { evaluate } from './evaluate.js';
import { infoField } from './fault-reason.js';
import { beatsKey, generationChannel, initKey, namespaceOf, newGeneration, recordKey } from './keys.js';
import { Namespace } from './namespace.js';
import { type RedisClient } from './redis-client.js';
import { type ScriptName } from './scripts.js';
import { sweepEarlierGenerations } from './sweep.js';

/** How long the right to install a generation lasts unless its holder renews it, in ms: so long a dead one is waited for. */
const claimMs = 300;
/** How often a node that waits for another's installation looks again, in ms. */
const pollMs = 10;

/** A Redis server as `INFO` tells it; compatible servers may leave either field out. */
interface Server {
  readonly run_id: string;
  readonly master_replid: string;
}

/** The hash in Redis that says which generation its data belong to. */
type Fields = Readonly<Record<string, string>>;

/** A generation as this node has joined it. */
export interface Joined {
  readonly gen: string;
  /** Its place in the sequence of generations. */
  readonly number: string;
}

/**
 * The generation of a Redis data set as seen with a PostgreSQL: a random name under which all keys live, and where it
 * begins (the epoch, and the writers that were running): what its fences can be trusted to know.
 *
 * PostgreSQL names the generation in force, and the Redis that holds it; the record in Redis names the histories that it was
 * made for. A generation is in force while both agree, the server is the one that it was, no history has gone back, and
 * every node finds in Redis what it has last written there. Otherwise nothing that is stored can be trusted, and a new one
 * begins. While PostgreSQL cannot be asked, the last answer counts for the same data set on the same server.
 */
@Injectable()
export class GenerationRecord {
  readonly #logger = new Logger('Cache');
  readonly #authority: Authority;
  /** This process, among those that raise a count in Redis. */
  readonly #node = randomUUID();
  #evictionPolicy = '';
  #identified = true;
  #joined: Joined | undefined;
  /** What this node has last written, and is certain of, and what it has sent. */
  #beats = { certain: 0, sent: 0 };
  #doubted: () => Promise<unknown> = () => Promise.resolve();

  constructor(
    dataSource: DataSource,
    private readonly events: CacheEvents,
    clock: Clock,
    private readonly namespace: Namespace,
  ) {
    this.#authority = new Authority(dataSource, clock, () => this.#doubted());
  }

  /** `maxmemory-policy` of the server that was last identified. */
  get evictionPolicy(): string {
    return this.#evictionPolicy;
  }

  /** Whether the server can be told from another: without that, an older data set in its place would not be noticed. */
  get identified(): boolean {
    return this.#identified;
  }

  /** Whether a commit that others see survives a crash of PostgreSQL. */
  get durable(): boolean {
    return this.#authority.seen?.durable ?? true;
  }

  /** Whether the generation is certainly in force now. */
  get certain(): boolean {
    return this.#authority.valid;
  }

  get number(): string | undefined {
    return this.#joined?.number;
  }

  /** @param doubted called, and waited for, when a connection of the pool reaches another server than was known */
  watch(doubted: () => Promise<unknown>): void {
    this.#doubted = doubted;
    this.#authority.watchPool();
  }

  close(): void {
    this.#authority.close();
  }

  /** @throws {UnusableRedisError} where the cache cannot be kept in the server */
  async admit(client: RedisClient): Promise<void> {
    await admit(client, await this.namespace.find());
  }

  /**
   * The generation in force for the servers at hand. Where there is none, one node installs it and the others wait for
   * that one; should it die, the next one takes over.
   * @param renew whether the one in force is to end, whatever the identities. One that another node begins meanwhile will do:
   *   it, too, keeps nothing of before this call
   * @param signal ends the waiting
   */
  async establish(client: RedisClient, signal: AbortSignal, { renew = false } = {}): Promise<Joined> {
    this.#authority.end();
    const server = await this.#identify(client);
    const namespace = await this.namespace.find();
    let record: Fields = await client.hGetAll(recordKey(namespace));
    const ended = renew ? record['gen'] : undefined;
    let begun: string | undefined;
    for (; !signal.aborted; record = await client.hGetAll(recordKey(namespace))) {
      const gen = record['gen'] ?? '';
      // Whoever asks for a generation notes that it is used: not here, where the server may be another one.
      const mine = !this.#identified || isSame(record, server);
      const primary = await unlessAway(this.#authority.askSoon(mine ? gen : ''));
      if (!primary) return this.#rejoinAlone(client, server, record, renew);
      if (this.namespace.follow(primary) !== namespace) return this.establish(client, signal, { renew });
      if (gen !== '' && gen !== ended && this.#inForce(record, server, primary)) {
        await this.#prove(client, gen, primary, gen === this.#joined?.gen);
        this.#authority.accept(primary);
        this.#authority.confirm(primary);
        return this.#join(record, gen === begun);
      }
      begun = (await this.#install(client, namespace, server, record, primary)) ?? begun;
      if (begun === undefined) await sleep(pollMs);
    }
    throw new UnusableRedisError('another node is beginning a generation of the cache');
  }

  /**
   * Asks both servers whether the generation is still in force.
   * @returns false when it is not; true also where PostgreSQL cannot be asked
   * @throws where Redis cannot be asked, or has gone back
   */
  async confirm(client: RedisClient, gen: string, deadlines: Deadlines): Promise<boolean> {
    const primary = await unlessAway(this.#authority.ask(gen));
    const { seen } = this.#authority;
    const moved = primary && this.namespace.follow(primary) !== namespaceOf(gen);
    if (moved || (primary && (primary.generation !== gen || (seen && !follows(primary, seen))))) {
      this.#authority.end();
      return false;
    }
    await deadlines.bound(this.#prove(client, gen, primary ?? seen, true));
    if (primary) {
      this.#authority.accept(primary);
      this.#authority.confirm(primary);
    }
    return true;
  }

  /** PostgreSQL cannot be asked. What it last said holds for the same data set: same record, same server, not gone back. */
  async #rejoinAlone(client: RedisClient, server: Server, record: Fields, renew: boolean): Promise<Joined> {
    const gen = record['gen'];
    if (renew || gen === undefined || gen !== this.#joined?.gen || !isSame(record, server))
      throw new UnusableRedisError('PostgreSQL cannot be asked which generation of the cache is in force');
    await this.#prove(client, gen, this.#authority.seen, true);
    return this.#join(record, false);
  }

  #join(record: Fields, fresh: boolean): Joined {
    const gen = record['gen']!;
    if (gen !== this.#joined?.gen) this.#beats = { certain: 0, sent: this.#beats.sent };
    this.#joined = { gen, number: record['number'] ?? '' };
    this.events.emit({ type: 'generation', gen, fresh, writers: record['writers']?.match(/\d+/g) ?? [] });
    return this.#joined;
  }

  /** An unidentified server is taken for the one that PostgreSQL names while nodes use it: each of them compares its count. */
  #inForce(record: Fields, server: Server, primary: Primary): boolean {
    if (record['gen'] !== primary.generation || record['number'] !== primary.number) return false;
    const sameServer = this.#identified ? isSame(record, server) : primary.used;
    // What was seen under another generation does not matter: the record says what its own was made for.
    const seen = record['gen'] === this.#joined?.gen ? this.#authority.seen : undefined;
    return sameServer && follows(primary, historyOf(record)) && (!seen || follows(primary, seen));
  }

  /**
   * Each step ends what the one before could still let happen. The claim ends the generation before, in Redis, and tells every
   * node. PostgreSQL names the next one, and whoever reads the generation's number from then on sees that one. Only then is
   * the epoch taken, and are the running writers listed. In another order, a writer that begins after the epoch could still
   * fence in the old generation, and the new one would know nothing of it.
   * @returns undefined where another node was faster
   */
  async #install(
    client: RedisClient,
    namespace: string,
    server: Server,
    record: Fields,
    primary: Primary,
  ): Promise<string | undefined> {
    const previous = record['gen'] ?? '';
    const key = keyOf(server);
    // The claim ends a generation only on the Redis that PostgreSQL says has it, and in its own namespace.
    const here = namespaceOf(primary.generation) === namespace && key === primary.server;
    const ends = key === '' ? previous !== '' && previous === primary.generation : here;
    if (!ends && primary.used) throw new OtherServerError();
    const nonce = randomUUID();
    const run = (script: ScriptName, ...args: string[]) =>
      evaluate(client, script, { keys: [initKey(namespace), recordKey(namespace)], arguments: [nonce, ...args] });
    const hold = (ms: number) => run('holdClaim', String(ms)).catch(() => undefined);
    if ((await run('claimGeneration', String(claimMs), previous, generationChannel(namespace))) !== 1) return undefined;
    const done = new AbortController();
    void repeat(() => hold(claimMs), claimMs / 3, done.signal);
    try {
      const gen = newGeneration(namespace);
      const number = await this.#authority.name(gen, key, primary.generation, ends);
      if (number === undefined) return void (await hold(0));
      const { epoch, writers } = await this.#authority.epoch();
      const fields = Object.entries({ ...server, ...fieldsOf(primary), number, writers: writers.join(',') }).flat();
      if ((await run('installGeneration', gen, epoch, generationChannel(namespace), ...fields)) !== 1) return undefined;
      // What was seen of a history that has gone back does not count for the new generation.
      this.#authority.accept(primary);
      this.#logger.log(`a new cache generation begins at transaction ${epoch}`);
      sweepEarlierGenerations(client, gen).catch((error: Error) => this.#logger.debug(`not swept: ${error.message}`));
      return gen;
    } catch (error) {
      await hold(0);
      throw error;
    } finally {
      done.abort();
    }
  }

  /**
   * Raises this node's count, and notes how far PostgreSQL's log is.
   * @param again whether this node has raised it under the generation before
   * @throws where the count is less than it was, or the server is another one: the generation has then ended
   */
  async #prove(client: RedisClient, gen: string, seen: History | undefined, again: boolean): Promise<void> {
    const count = (this.#beats.sent += 1);
    const least = again ? this.#beats.certain : 0;
    const { started = '', lsn = 0 } = seen ?? {};
    const namespace = namespaceOf(gen);
    const args = [gen, this.#node, String(least), String(count), started, String(lsn), generationChannel(namespace)];
    const keys = [recordKey(namespace), beatsKey(gen)];
    const evictionPolicy = await evaluate(client, 'prove', { keys, arguments: args });
    if (typeof evictionPolicy === 'string') this.#evictionPolicy = evictionPolicy;
    this.#beats.certain = Math.max(this.#beats.certain, count);
  }

  async #identify(client: RedisClient): Promise<Server> {
    const info = await client.info();
    this.#evictionPolicy = infoField(info, 'maxmemory_policy');
    const server = { run_id: infoField(info, 'run_id'), master_replid: infoField(info, 'master_replid') };
    this.#identified = keyOf(server) !== '';
    return server;
  }
}

/** Another Redis is in force: at most one is, and whoever reaches another one goes without. */
export class OtherServerError extends UnusableRedisError {
  override readonly code = 'CACHE_OTHER_SERVER';

  constructor() {
    super(
      'nodes use another Redis than this one, or another namespace in it: REDIS_URL must lead all of them to the same server, ' +
        'and CACHE_NAMESPACE must be the same',
    );
    this.name = 'OtherServerError';
  }
}

/** '' identifies nobody. */
const keyOf = ({ run_id: runId, master_replid: replid }: Server): string =>
  runId === '' && replid === '' ? '' : `${runId}/${replid}`;

/** Whether a record was made on this server. One that cannot be told from others never is. */
const isSame = (record: Fields, server: Server): boolean =>
  keyOf(server) !== '' && record['run_id'] === server.run_id && record['master_replid'] === server.master_replid;

const fieldsOf = ({ system, timeline, database, started, lsn, durable }: History): Fields => ({
  pg_system: system,
  pg_timeline: timeline,
  pg_database: database,
  pg_started: started,
  pg_lsn: String(lsn),
  pg_durable: String(durable),
});

const historyOf = (record: Fields): History => ({
  system: record['pg_system'] ?? '',
  timeline: record['pg_timeline'] ?? '',
  database: record['pg_database'] ?? '',
  started: record['pg_started'] ?? '',
  lsn: Number(record['pg_lsn']),
  durable: record['pg_durable'] === 'true',
});

/** Undefined where PostgreSQL does not answer. One that answers with an error, such as a standby, is not in charge. */
const unlessAway = (asked: Promise<Primary | undefined>): Promise<Primary | undefined> =>
  asked.catch((error: unknown) => {
    if (!isDatabaseUnavailable(error)) throw error;
    return undefined;
  });

/** Does the work after each pause, until the signal comes. */
async function repeat(work: () => Promise<unknown>, pauseMs: number, signal: AbortSignal): Promise<void> {
  const pause = () => sleep(pauseMs, true, { signal }).catch(() => false);
  while (await pause()) await work();
}
