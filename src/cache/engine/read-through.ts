import { Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { isDatabaseUnavailable } from '../../database/index.js';
import { policies, type PolicyName, strictestOf, weakestOf } from '../../policies/index.js';
import { isAway } from '../cache.errors.js';
import { Clock } from '../clock.js';
import { type Lifetime, lifetime, narrower } from '../core/freshness.js';
import { type Dependency, entityOf, type Tag } from '../core/tags.js';
import { CacheEvents, type LevelName, type RequestResult } from '../events.js';
import { type LayerStatus } from '../layer-status.js';
import { type Fill, type ReadOptions, type ReadResult, type Ticket } from '../levels/level.js';
import { MemoryLevel } from '../levels/l1/memory-level.js';
import { RedisLevel } from '../levels/l2/redis-level.js';
import { type Loaded, provenSnapshot } from '../loaded.js';
import { PolicySource, sharesL1 } from '../policy-source.js';
import { EntityRules, type RowId } from '../rules.js';
import { layerResult, step } from '../steps.js';
import { type QueryAddress, queryAddress, type RowAddress, rowAddress, tagsOf } from './addresses.js';
import { type Answer, collapsed, hit } from './answer.js';
import { collecting, currentCollector, LoadParts, remember, uncollected } from './scope.js';
import { SingleFlight } from './single-flight.js';

/** One read: what is wanted, how it is loaded, and what the policy lets it do. */
interface Read {
  readonly address: RowAddress | QueryAddress;
  readonly load: () => Promise<Loaded<unknown>>;
  /** What it is known to be made of before it is loaded. */
  readonly entities: readonly string[];
  /** Promised, hence shown. */
  readonly policy: PolicyName;
  readonly staleMs: number;
  readonly usesL1: boolean;
  /** A hit counts only while the generation is certainly in force. */
  readonly needsCertainty: boolean;
  /** Without Redis, a value may be shared for as long as a node that has been cut off would. */
  readonly sharesWithoutRedis: () => boolean;
  readonly renew: boolean;
}

/** What is proven, and not kept. */
const gone: Lifetime = { freshMs: 0, keepMs: 0 };

type Bypass = Extract<ReadResult, { outcome: 'bypass' }>;

/** How often, and how long each time in ms, a reader waits for the value that another one is loading. */
const waits = 5;
const waitMs = 5;

/**
 * The db layer: reads rows and query results through L1, L2 and the database, in this order. A level that cannot answer
 * is a miss; what the database said is always answered, and kept only where its snapshot proves that it may be.
 */
@Injectable()
export class ReadThrough {
  readonly #logger = new Logger('Cache');
  readonly #flights: SingleFlight<Answer>;
  /** Entities of which a load has come without a proof. */
  readonly #unproven = new Set<string>();

  constructor(
    private readonly settings: Settings,
    private readonly l1: MemoryLevel,
    private readonly l2: RedisLevel,
    private readonly policySource: PolicySource,
    private readonly clock: Clock,
    private readonly events: CacheEvents,
    private readonly rules: EntityRules,
  ) {
    this.#flights = new SingleFlight(() => events.emit({ type: 'joined' }));
  }

  /** One row by its id. `null` is cached too: a row that is known to be absent. @throws {UnknownTagError} */
  async row<T>(entity: string, id: RowId, load: () => Promise<Loaded<T | null>>): Promise<T | null> {
    this.rules.assertNamed(entity);
    return this.#answer<T | null>(this.#read([entity], rowAddress(entity, this.rules.spell(entity, id)), load));
  }

  /**
   * The result of a query. It follows the strictest of the entities that it depends on, and promises what the weakest does.
   * @param key canonical text of the query, without the entity's name
   * @param tags what the result depends on, see `queryTags`
   * @throws {UnknownTagError}
   */
  async query<T>(entity: string, key: string, tags: readonly Tag[], load: () => Promise<Loaded<T>>): Promise<T> {
    const entities = new Set([entity, ...tags.map(entityOf)]);
    const address = queryAddress(entity, key, this.rules.dependenciesOf(tags));
    return this.#answer<T>(this.#read([...entities], address, load));
  }

  #read(entities: readonly string[], address: Read['address'], load: Read['load']): Read {
    const rules = strictestOf(entities.map((entity) => this.policySource.rulesOf(entity)))!;
    return {
      address,
      load,
      entities,
      policy: weakestOf(entities.map((entity) => this.policySource.policyOf(entity)))!,
      staleMs: policies[rules].servesStale ? this.settings.cacheStaleMs : 0,
      usesL1: this.settings.cacheDb && sharesL1(rules, this.settings),
      needsCertainty: policies[rules].isCertain,
      sharesWithoutRedis: () =>
        this.settings.cacheDb && entities.every((entity) => this.policySource.sharesWithoutRedis(entity)),
      renew: currentCollector()?.renew ?? false,
    };
  }

  async #answer<T>(read: Read): Promise<T> {
    const collector = currentCollector();
    collector?.watch(tagsOf(read.address));
    const { answer, joined } = await step(
      { name: 'layer', layer: 'db', key: read.address.key, resultOf: (found) => layerResult(found.answer.status) },
      () => this.#find(read),
    );
    const part = joined ? collapsed(answer) : answer;
    collector?.collect(part);
    // Stale-while-revalidate (RFC 5861): the value is answered, a fresh one is fetched behind it.
    if (answer.status.hit && answer.freshMs <= 0) this.#refresh(read);
    const value = JSON.parse(answer.body) as T;
    remember(value, part);
    return value;
  }

  async #find(read: Read): Promise<{ readonly answer: Answer; readonly joined: boolean }> {
    const known = this.#known(read);
    if (known) return { answer: known, joined: false };
    const { result, joined } = this.#startFlight(read);
    try {
      const answer = await result;
      return joined && answer.own ? { answer: await this.#alone(read), joined: false } : { answer, joined };
    } catch (error) {
      const instead = read.renew && isDatabaseUnavailable(error) ? await this.#instead(read) : undefined;
      if (!instead) throw error;
      return { answer: instead, joined: false };
    }
  }

  /**
   * Stale-if-error (RFC 5861): a client that wanted a fresh answer gets the one that is kept, verified and marked, while
   * the database is away. Where the rules forbid stale values, there is none.
   */
  async #instead(read: Read): Promise<Answer | undefined> {
    if (read.staleMs === 0) return undefined;
    const kept: Read = { ...read, renew: false };
    const known = this.#known(kept);
    const found = known ? undefined : await this.#readL2(kept);
    const answer = known ?? (found?.outcome === 'hit' ? hit('l2', found.entry, read.policy) : undefined);
    const status = { hit: false, forward: 'stale', forwardStatus: 503, stored: false, collapsed: false } as const;
    return answer && { ...answer, status: { ...status, policy: read.policy } };
  }

  /** A forced renewal never joins a flight that could end in a hit. */
  #startFlight(read: Read): { readonly result: Promise<Answer>; readonly joined: boolean } {
    const { address, renew } = read;
    return this.#flights.run(renew ? `renew ${address.key}` : address.key, (closeToJoiners) =>
      uncollected(() => this.#fly(read, closeToJoiners)),
    );
  }

  /** What another reader has loaded for itself alone is of no use to those who have waited for it. */
  #alone(read: Read): Promise<Answer> {
    return uncollected(() => this.#fly(read, () => undefined));
  }

  #refresh(read: Read): void {
    const { result, joined } = this.#startFlight({ ...read, renew: true });
    if (!joined) result.catch((error: Error) => this.#logger.debug(`a refresh failed: ${error.message}`));
  }

  /** A hit that costs no command. */
  #known({ address, renew, usesL1, sharesWithoutRedis: blind, staleMs, policy }: Read): Answer | undefined {
    const entry = usesL1 && !renew ? this.l1.find(address.key, staleMs, { blind }) : undefined;
    if (!entry) return undefined;
    this.#count('l1', entry.freshMs > 0 ? 'hit' : 'stale');
    return hit('l1', entry, policy);
  }

  async #fly(read: Read, closeToJoiners: () => void): Promise<Answer> {
    const { address, policy, usesL1, renew } = read;
    const known = this.#known(read);
    if (known) return known;
    const placeholder = usesL1 ? this.l1.take(address) : undefined;
    if (!renew) this.#count('l1', placeholder ? 'miss' : 'bypass');
    try {
      closeToJoiners();
      const confirmed = placeholder && (await this.#confirm(read, placeholder));
      if (confirmed) return confirmed;
      const found = await this.#readL2(read);
      if (found.outcome === 'hit') {
        if (placeholder) this.l1.fill(placeholder, found.entry);
        return hit('l2', found.entry, policy);
      }
      if (found.outcome === 'bypass' && isAway(found.reason) && read.sharesWithoutRedis())
        return await this.#loadWithoutRedis(read, found);
      const answer = await this.#load(read, found, placeholder);
      const { body, dependencies, freshMs, keepMs, kept } = answer;
      if (placeholder && dependencies && kept) this.l1.fill(placeholder, { body, dependencies, freshMs, keepMs });
      return answer;
    } finally {
      if (placeholder) this.l1.abandon(placeholder);
    }
  }

  /** Without Redis: one load per key and lease, so that the database is not asked for hot rows by everyone. */
  async #loadWithoutRedis(read: Read, found: Bypass): Promise<Answer> {
    const placeholder = this.l1.takeWithoutRedis(read.address);
    try {
      const answer = await this.#load(read, found, placeholder);
      if (placeholder && answer.kept)
        this.l1.fill(placeholder, { body: answer.body, freshMs: answer.freshMs, keepMs: answer.keepMs });
      return answer;
    } finally {
      if (placeholder) this.l1.abandon(placeholder);
    }
  }

  /** After a gap of the invalidation connection: L1's entry is good again if its stamps still are. */
  async #confirm(
    { address, staleMs, renew, policy, needsCertainty }: Read,
    placeholder: Ticket,
  ): Promise<Answer | undefined> {
    const suspect = renew ? undefined : this.l1.suspect(address.key, staleMs);
    if (!suspect || !(await this.l2.confirms(suspect.dependencies))) return undefined;
    if (needsCertainty && !this.l2.certain) return undefined;
    this.l1.fill(placeholder, suspect);
    this.#count('l1', suspect.freshMs > 0 ? 'hit' : 'stale');
    return hit('l1', suspect, policy);
  }

  /** With the db layer off nothing is kept, but the value still comes with the stamps that prove it. */
  async #readL2({ address, staleMs, renew, needsCertainty }: Read): Promise<ReadResult> {
    const answered = this.settings.cacheDb
      ? await this.#readOrWait(address, { staleMs, renew })
      : await this.l2.read({ kind: 'query', key: address.key, tags: tagsOf(address) }, { renew: true });
    const uncertain = answered.outcome === 'hit' && needsCertainty && !this.l2.certain;
    const found: ReadResult = uncertain ? { outcome: 'bypass', reason: 'no-epoch' } : answered;
    this.#count('l2', found.outcome === 'hit' ? (found.entry.freshMs > 0 ? 'hit' : 'stale') : found.outcome);
    return found;
  }

  /** One load per cluster: while another node loads the row, its value is waited for, but not for long. */
  async #readOrWait(address: Read['address'], options: ReadOptions): Promise<ReadResult> {
    let found = await this.l2.read(address, options);
    for (let n = 0; n < waits && found.outcome === 'miss' && found.loading && !options.renew; n += 1) {
      await this.clock.sleep(waitMs);
      found = await this.l2.read(address, options);
    }
    return found;
  }

  async #load(
    read: Read,
    found: Exclude<ReadResult, { outcome: 'hit' }>,
    placeholder: Ticket | undefined,
  ): Promise<Answer & { readonly kept: boolean }> {
    const startedMs = this.clock.monotonicMs();
    const parts = new LoadParts(read.renew, (tags) => placeholder && this.l1.watch(placeholder, tags));
    const loaded = await step({ name: 'load', key: read.address.key }, () => collecting(parts, read.load));
    const elapsedMs = this.clock.monotonicMs() - startedMs;
    this.events.emit({ type: 'load', seconds: elapsedMs / 1000 });
    const body = JSON.stringify(loaded.value);
    const { freshMs, keepMs } = parts.all.reduce<Lifetime>(narrower, lifetime(this.settings, elapsedMs));
    // What is left of an entry in L1 is a fraction; Redis counts in whole milliseconds.
    const life = { freshMs: Math.floor(freshMs), keepMs: Math.floor(keepMs) };
    const snapshot = provenSnapshot(loaded);
    const own = snapshot === undefined || parts.own;
    if (snapshot === undefined) this.#warnOfUnproven(read);
    const kept = this.settings.cacheDb && !own && this.#keeps(read, parts);
    const dependencies = own
      ? undefined
      : await this.#fill(read, found, parts, { body, snapshot, ...(kept ? life : gone) });
    if (found.outcome === 'miss' && !dependencies) this.#count('l2', 'refused');
    const policy = weakestOf([read.policy, ...parts.all.flatMap(({ status }) => status.policy ?? [])])!;
    const status = this.#forward({ ...read, policy }, found, kept && dependencies !== undefined);
    return { body, dependencies, ...life, status, own, kept };
  }

  /**
   * A value whose load has itself read through the cache depends on that, too. It is kept where its own rules cover what it
   * was made of: a row by itself has no room for it, and a query must have said of which entities it is.
   */
  #keeps({ address, entities }: Read, parts: LoadParts): boolean {
    if (parts.all.length === 0) return true;
    return address.kind === 'query' && parts.entities().every((entity) => entities.includes(entity));
  }

  async #fill(
    read: Read,
    found: Exclude<ReadResult, { outcome: 'hit' }>,
    parts: LoadParts,
    fill: Fill,
  ): Promise<readonly Dependency[] | undefined> {
    const inner = parts.dependencies();
    if (!inner || (inner.length > 0 && read.address.kind === 'row')) return undefined;
    if (found.outcome === 'miss') return this.l2.fill(found.ticket, { ...fill, further: inner });
    const unstamped = this.#unstamped(read, found.reason);
    return unstamped && [...unstamped, ...inner];
  }

  /** Once for each entity: nothing is wrong with what is answered, but everybody who asks for it has a statement of their own. */
  #warnOfUnproven({ entities: [entity = ''] }: Read): void {
    if (this.#unproven.has(entity)) return;
    this.#unproven.add(entity);
    this.#logger.warn(
      `a load of ${entity} proves nothing, so it is not kept: select loadProof in the statement that reads the value, on the ` +
        'primary, under READ COMMITTED, outside of a transaction that has written',
    );
  }

  /** With L2 switched off there are no stamps; L1 alone may keep a value, by its placeholder, under the weaker policies. */
  #unstamped({ address, policy }: Read, reason: string): readonly Dependency[] | undefined {
    if (this.settings.cacheL2 || reason !== 'disabled' || !policies[policy].sharesL1) return undefined;
    return tagsOf(address).map((tag) => ({ tag, stamp: '' }));
  }

  #forward({ policy, renew }: Read, found: ReadResult, stored: boolean): LayerStatus {
    const shared = { hit: false, collapsed: false, policy } as const;
    if (!this.settings.cacheDb) return { ...shared, forward: 'bypass', stored: false, detail: 'disabled' };
    if (found.outcome === 'bypass') return { ...shared, forward: 'bypass', stored, detail: found.reason };
    return { ...shared, forward: renew ? 'request' : 'uri-miss', stored };
  }

  #count(level: LevelName, result: RequestResult): void {
    this.events.emit({ type: 'request', layer: 'db', level, result });
  }
}
