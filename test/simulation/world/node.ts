import { plainRequest } from '../../../src/cache/api/cache-request.js';
import { ResponseCache } from '../../../src/cache/api/response-cache.js';
import { ResponseLevels } from '../../../src/cache/api/response-levels.js';
import { ResponseMaker } from '../../../src/cache/api/response-maker.js';
import { plainAnswer } from '../../../src/cache/api/stored-response.js';
import {
  CacheEvents,
  type EntityRule,
  EntityRules,
  GenerationRecord,
  Lease,
  type Loaded,
  MemoryLevel,
  Namespace,
  queryTags,
  ReadThrough,
  RedisConnection,
  RedisFaults,
  RedisLevel,
  RedisTags,
} from '../../../src/cache/testing.js';
import { type Settings } from '../../../src/config/index.js';
import { Acknowledgements } from '../../../src/invalidation/bus/acknowledgements.js';
import { Heartbeat } from '../../../src/invalidation/bus/heartbeat.js';
import { NodeLeases } from '../../../src/invalidation/bus/node-leases.js';
import { InvalidationBus } from '../../../src/invalidation/bus/invalidation-bus.js';
import { Invalidator } from '../../../src/invalidation/invalidator.js';
import { Journal } from '../../../src/invalidation/journal/journal.js';
import { OwnWrites } from '../../../src/invalidation/own-writes.js';
import { CommitPlanner } from '../../../src/invalidation/policies/commit-planner.js';
import { PolicyRegistry } from '../../../src/invalidation/policies/policy-registry.js';
import { PolicyStore } from '../../../src/invalidation/policies/policy-store.js';
import { PolicySwitch } from '../../../src/invalidation/policies/policy-switch.js';
import { CacheSubscriber } from '../../../src/invalidation/subscriber/cache.subscriber.js';
import { LockedRows } from '../../../src/invalidation/subscriber/locked-rows.js';
import { OpenTransactions } from '../../../src/invalidation/subscriber/open-transactions.js';
import { CachedTables } from '../../../src/invalidation/writes/cached-tables.js';
import { type Row } from '../memory-postgres.js';
import { SimulatedDataSource } from './orm.js';
import { Thing } from './thing.js';
import { type World } from './world.js';

export const entity = 'things';

export const rule: EntityRule<Thing> = {
  entity,
  target: Thing,
  idOf: ({ id }) => id,
  filtersOf: ({ category }) => [{ category }],
  view: ({ id, category, rev }) => ({ id, category, rev }),
  initialPolicy: ({ cachePolicy }) => cachePolicy,
};

/** One table, without foreign keys, partitions and views: there are no catalogs. */
class PlainTables extends CachedTables {
  override refresh(): Promise<void> {
    return Promise.resolve();
  }
}

/** One process: the product's own classes, put together as its modules do. */
export class SimulatedNode {
  alive = true;
  partitioned = false;
  readonly uncaughtErrors: Error[] = [];
  readonly events = new CacheEvents();
  readonly dataSource = new SimulatedDataSource(this);
  readonly lease: Lease;
  readonly connection: RedisConnection;
  readonly l1: MemoryLevel;
  readonly l2: RedisLevel;
  readonly bus: InvalidationBus;
  readonly registry: PolicyRegistry;
  readonly policySwitch: PolicySwitch;
  readonly journal: Journal;
  readonly invalidator: Invalidator;
  readonly lockedRows: LockedRows;
  readonly reads: ReadThrough;
  readonly responses: ResponseCache;

  constructor(
    readonly world: World,
    readonly name: string,
    readonly settings: Settings,
  ) {
    const { events, world: surroundings } = this;
    const clock = surroundings.time;
    const database = this.dataSource.asDataSource;
    this.lease = new Lease(settings, clock, events);
    const namespace = new Namespace(settings, database);
    const faults = new RedisFaults();
    const record = new GenerationRecord(database, events, clock, namespace);
    this.connection = new RedisConnection(settings, record, faults, events);
    const tags = new RedisTags(settings, this.connection, clock);
    this.l1 = new MemoryLevel(settings, this.lease, clock);
    this.l2 = new RedisLevel(settings, this.connection, tags);
    const rules = new EntityRules();
    rules.add(rule);
    const acks = new Acknowledgements(settings, tags, clock);
    const heartbeat = new Heartbeat(settings, tags, acks);
    const leases = new NodeLeases(settings, database, this.lease, clock);
    const { lease, connection, l1 } = this;
    this.bus = new InvalidationBus(
      settings,
      clock,
      l1,
      lease,
      connection,
      faults,
      namespace,
      heartbeat,
      acks,
      leases,
      events,
    );
    const store = new PolicyStore(database);
    this.registry = new PolicyRegistry(settings, rules, store, this.bus, clock);
    const { registry } = this;
    this.policySwitch = new PolicySwitch(settings, rules, store, registry, leases, connection, tags, l1, clock);
    this.journal = new Journal(events);
    this.invalidator = new Invalidator(settings, this.l1, tags, this.connection, this.journal, events);
    const planner = new CommitPlanner(settings, rules, tags, this.l1, this.invalidator, acks, new OwnWrites());
    const transactions = new OpenTransactions();
    this.lockedRows = new LockedRows(transactions, rules);
    const tables = new PlainTables(database, rules, clock);
    new CacheSubscriber(database, rules, tables, registry, planner, this.invalidator, transactions).onModuleInit();
    this.reads = new ReadThrough(settings, this.l1, this.l2, this.registry, clock, events, rules);
    const levels = new ResponseLevels(settings, this.l1, this.l2, this.registry, clock, events);
    const maker = new ResponseMaker(settings, this.l1, levels, clock);
    this.responses = new ResponseCache(levels, maker, this.l1, this.registry, clock, events);
  }

  async start(): Promise<void> {
    await this.connection.onModuleInit();
    await this.bus.onApplicationBootstrap();
    await this.registry.onApplicationBootstrap();
    if (this.world.switching) await this.policySwitch.onApplicationBootstrap();
  }

  uncaught(error: Error): void {
    this.uncaughtErrors.push(error);
    this.world.steps.note(`!!! uncaught on ${this.name}: ${error.message}`);
  }

  /** kill -9: nothing that it has begun goes on. */
  crash(): void {
    this.alive = false;
    for (const connection of this.world.redis.connections(({ node }) => node === this)) connection.cut(false);
    for (const session of this.world.database.sessions) if (session.node === this) session.abandon();
    // It is not told either: this only ends the loops that would wait for timers.
    this.connection.onApplicationShutdown();
    void this.bus.onApplicationShutdown();
  }

  row(id: number): Promise<Row | null> {
    const load = () => this.#load(`SELECT ${id}`, () => this.world.database.postgres.row(id) ?? null);
    return this.reads.row(entity, id, load);
  }

  /** Undefined: the list without a filter. */
  list(category: string | undefined): Promise<Row[]> {
    const filter = category === undefined ? {} : { category };
    const load = () =>
      this.#load(`SELECT list ${category ?? 'all'}`, () =>
        this.world.database.postgres.rows().filter((row) => category === undefined || row.category === category),
      );
    return this.reads.query(entity, category ?? 'all', queryTags(entity, filter), load);
  }

  /** A response of two parts. */
  async page(renew: boolean): Promise<string> {
    const handler = async () => plainAnswer({ row: await this.row(1), list: await this.list('a') });
    const outcome = await this.responses.respond(plainRequest('/page', renew), handler);
    if (!outcome.response) throw outcome.error;
    return outcome.response.body;
  }

  /** The value and the proof of one statement. */
  async #load<T>(label: string, read: () => T): Promise<Loaded<T>> {
    const { session } = this.dataSource.createQueryRunner();
    const { postgres } = this.world.database;
    const load = () => ({ value: read(), proof: `proven ${postgres.snapshot()}` });
    return session.run(label, load).finally(() => session.end());
  }
}
