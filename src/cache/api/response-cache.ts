import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { representationOf } from '../../http/index.js';
import { Clock } from '../clock.js';
import { entityOf } from '../core/tags.js';
import { type ResponseAddress, responseAddress } from '../engine/addresses.js';
import { collecting } from '../engine/scope.js';
import { SingleFlight } from '../engine/single-flight.js';
import { CacheEvents, type LevelName, type RequestResult } from '../events.js';
import { type Entry, type ReadResult, type Ticket } from '../levels/level.js';
import { MemoryLevel } from '../levels/l1/memory-level.js';
import { RedisLevel } from '../levels/l2/redis-level.js';
import { policies, PolicySource, sharesL1, strictest, weakest } from '../policy.js';
import { type LayerStatus } from './cache-status.js';
import { PartCollector } from './part-collector.js';
import { deserialise, serialise, type StoredResponse } from './stored-response.js';

/** How a response came about, layer by layer, origin-most first. */
export interface Provenance {
  readonly db?: LayerStatus | undefined;
  readonly api: LayerStatus;
}

type Made =
  | { readonly response: StoredResponse; readonly error?: undefined }
  | { readonly response?: undefined; readonly error: unknown };

export type Outcome = Provenance & Made;

/** Makes the value that a route answers with. */
export type Handler = () => Promise<unknown>;

/** The api layer: whole responses through L1 and L2; what a response depends on is collected while its handler runs. */
@Injectable()
export class ResponseCache {
  readonly #flights: SingleFlight<Outcome>;

  constructor(
    private readonly settings: Settings,
    private readonly l1: MemoryLevel,
    private readonly l2: RedisLevel,
    private readonly policySource: PolicySource,
    private readonly clock: Clock,
    private readonly events: CacheEvents,
  ) {
    this.#flights = new SingleFlight(() => events.emit({ type: 'joined' }));
  }

  /** @param renew the client wants an answer that was made for it */
  async respond(key: string, handler: Handler, renew: boolean): Promise<Outcome> {
    const known = renew ? undefined : this.#known(key);
    if (known) {
      if (known.api.hit && known.api.ttlMs <= 0) this.#refresh(key, handler);
      return known;
    }
    const { result, joined } = this.#fly(key, handler, renew);
    const outcome = await result;
    if (!outcome.api.hit)
      return joined ? { ...outcome, api: { ...outcome.api, stored: false, collapsed: true } } : outcome;
    if (outcome.api.ttlMs <= 0) this.#refresh(key, handler);
    return outcome;
  }

  /** Runs a handler without keeping its response. */
  async bypass(handler: Handler, detail: 'disabled' | 'uncacheable'): Promise<Outcome> {
    const collector = new PartCollector(false, this.l1, undefined);
    const made = await this.#make(handler, collector);
    const api = { hit: false, forward: 'bypass', stored: false, collapsed: false, detail } as const;
    return { ...made, db: collector.status(), api: { ...api, policy: collector.policy() } };
  }

  #fly(key: string, handler: Handler, renew: boolean): { readonly result: Promise<Outcome>; readonly joined: boolean } {
    return this.#flights.run(renew ? `renew ${key}` : key, async (depart) => {
      const known = renew ? undefined : this.#known(key);
      if (known) return known;
      const address = responseAddress(key);
      const placeholder = this.l1.take(address);
      if (!renew) this.#count('l1', placeholder ? 'miss' : 'bypass');
      try {
        depart();
        const confirmed = placeholder && !renew && (await this.#confirm(address, placeholder));
        if (confirmed) return confirmed;
        const found = await this.#readL2(address, placeholder, renew);
        return found.outcome === 'hit'
          ? this.#keepHit(found.entry, placeholder)
          : await this.#makeAndKeep(found, handler, placeholder, renew);
      } finally {
        if (placeholder) this.l1.abandon(placeholder);
      }
    });
  }

  /** Stale-while-revalidate (RFC 5861). */
  #refresh(key: string, handler: Handler): void {
    this.#fly(key, handler, true).result.catch(() => undefined);
  }

  #known(key: string): Outcome | undefined {
    const entry = this.l1.find(responseAddress(key).key, this.settings.cacheStaleMs);
    if (!entry) return undefined;
    const { servable, shared } = this.#traits(entry);
    if (!servable || !shared) return undefined;
    return this.#hit('l1', entry);
  }

  /** After a gap of the invalidation connection: L1's entry is good again if its stamps still are. */
  async #confirm({ key }: ResponseAddress, placeholder: Ticket): Promise<Outcome | undefined> {
    const suspect = this.l1.suspect(key, this.settings.cacheStaleMs);
    if (!suspect || !this.#traits(suspect).servable || !this.#traits(suspect).shared) return undefined;
    this.l1.watch(
      placeholder,
      suspect.dependencies.map(({ tag }) => tag),
    );
    if (!(await this.l2.confirms(suspect.dependencies))) return undefined;
    this.l1.fill(placeholder, suspect);
    return this.#hit('l1', suspect);
  }

  async #readL2(address: ResponseAddress, placeholder: Ticket | undefined, renew: boolean): Promise<ReadResult> {
    const read = (staleMs: number) =>
      this.l2.read(address, {
        staleMs,
        renew,
        watch: (tags) => placeholder && this.l1.watch(placeholder, tags),
      });
    let found = await read(this.settings.cacheStaleMs);
    if (found.outcome === 'hit' && !this.#traits(found.entry).servable) found = await read(0);
    if (found.outcome !== 'hit') this.#count('l2', found.outcome);
    return found;
  }

  #keepHit(entry: Entry, placeholder: Ticket | undefined): Outcome {
    if (placeholder && this.#traits(entry).shared) this.l1.fill(placeholder, entry);
    return this.#hit('l2', entry);
  }

  async #makeAndKeep(
    found: Exclude<ReadResult, { outcome: 'hit' }>,
    handler: Handler,
    placeholder: Ticket | undefined,
    renew: boolean,
  ): Promise<Outcome> {
    const collector = new PartCollector(renew, this.l1, placeholder);
    const made = await this.#make(handler, collector);
    const stored = made.response ? await this.#keep(found, made.response, collector, placeholder) : false;
    const shared = { hit: false, stored, collapsed: false, policy: collector.policy() } as const;
    const api: LayerStatus =
      found.outcome === 'bypass'
        ? { ...shared, forward: 'bypass', detail: found.reason }
        : { ...shared, forward: renew ? 'request' : 'uri-miss' };
    return { ...made, db: collector.status(), api };
  }

  /** A handler's failure is an outcome too: it is shared like any other, with what is known of how it came about. */
  async #make(handler: Handler, collector: PartCollector): Promise<Made> {
    try {
      const value = await collecting(collector, handler);
      return { response: { ...representationOf(value), madeAtMs: this.clock.wallMs() } };
    } catch (error) {
      return { error };
    }
  }

  async #keep(
    found: Exclude<ReadResult, { outcome: 'hit' }>,
    response: StoredResponse,
    collector: PartCollector,
    placeholder: Ticket | undefined,
  ): Promise<boolean> {
    const dependencies = collector.dependencies();
    const { freshMs, keepMs } = collector.lifetime();
    if (!dependencies || freshMs <= 0) return false;
    const fill = { body: serialise(response), dependencies, freshMs: Math.round(freshMs), keepMs: Math.round(keepMs) };
    let accepted = found.outcome === 'miss' && (await this.l2.fill(found.ticket, fill)) !== undefined;
    if (found.outcome === 'miss' && !accepted) this.#count('l2', 'refused');
    // With L2 switched off, L1 alone may keep it.
    const alone = found.outcome === 'bypass' && found.reason === 'disabled' && !this.settings.cacheL2;
    if (placeholder && (accepted || alone) && this.#traits(fill).shared) {
      accepted = this.l1.fill(placeholder, fill) !== undefined || accepted;
    }
    return accepted;
  }

  /** What the policies of its parts allow. */
  #traits({ dependencies, freshMs }: Pick<Entry, 'dependencies' | 'freshMs'>): { servable: boolean; shared: boolean } {
    const rules = strictest(dependencies.map(({ tag }) => this.policySource.rulesOf(entityOf(tag)))) ?? 'strict';
    return { servable: freshMs > 0 || policies[rules].servesStale, shared: sharesL1(rules, this.settings) };
  }

  #hit(level: LevelName, entry: Entry): Outcome {
    this.#count(level, entry.freshMs > 0 ? 'hit' : 'stale');
    const promised = entry.dependencies.map(({ tag }) => this.policySource.policyOf(entityOf(tag)));
    const policy = weakest(promised) ?? 'strict';
    return { response: deserialise(entry.body), api: { hit: true, level, policy, ttlMs: entry.freshMs } };
  }

  #count(level: LevelName, result: RequestResult): void {
    this.events.emit({ type: 'request', layer: 'api', level, result });
  }
}
