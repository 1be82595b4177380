import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { type Unavailability } from '../cache.errors.js';
import { Clock } from '../clock.js';
import { type Dependency } from '../core/tags.js';
import { responseAddress, uriTag } from '../engine/addresses.js';
import { CacheEvents, type LevelName, type RequestResult } from '../events.js';
import { type Entry, type Fill, type ReadResult, type Ticket } from '../levels/level.js';
import { MemoryLevel } from '../levels/l1/memory-level.js';
import { RedisLevel } from '../levels/l2/redis-level.js';
import { PolicySource } from '../policy-source.js';
import { type CacheRequest, isAuthorized } from './cache-request.js';
import { candidateOf, isShared, needsCertainty } from './candidate.js';
import { type Candidate } from './semantics/reuse.js';
import { variantOf, type Variants, withVariant } from './semantics/vary.js';
import { deserialise, serialise, serialiseVariants, type StoredResponse, variantsIn } from './stored-response.js';

/** A stored response that matches a request, with stamps that hold. */
export interface Found {
  readonly level: LevelName;
  readonly key: string;
  readonly entry: Entry;
  readonly stored: StoredResponse;
  readonly candidate: Candidate;
}

/** What L2 knew of a request: why it could not be asked, or what it has. */
export interface Search {
  readonly blocked?: Unavailability;
  readonly variants?: Variants;
  readonly found?: Found;
}

/** Responses in L1 and L2: under their key, or, where they vary, under their key and variant. */
@Injectable()
export class ResponseLevels {
  constructor(
    private readonly settings: Settings,
    private readonly l1: MemoryLevel,
    private readonly l2: RedisLevel,
    private readonly policySource: PolicySource,
    private readonly clock: Clock,
    private readonly events: CacheEvents,
  ) {}

  /** A hit that costs no command. */
  inL1(request: CacheRequest): Found | undefined {
    const entry = this.l1.find(responseAddress(request.key).key, Infinity);
    const variants = entry && variantsIn(entry.body);
    if (!variants) return entry && this.#match('l1', request, request.key, entry);
    const key = variantKey(request, variants);
    const variant = key === undefined ? undefined : this.l1.find(responseAddress(key).key, Infinity);
    return variant && this.#match('l1', request, key!, variant);
  }

  /** After a gap of the invalidation connection: L1's entry is good again if its stamps still are. */
  async confirmed(
    request: CacheRequest,
    placeholder: Ticket,
    usable: (found: Found) => boolean,
  ): Promise<Found | undefined> {
    const suspect = this.l1.suspect(responseAddress(request.key).key, Infinity);
    if (!suspect || variantsIn(suspect.body)) return undefined;
    const found = this.#match('l1', request, request.key, suspect);
    if (!found || !usable(found)) return undefined;
    this.#watch(placeholder, suspect.dependencies);
    if (!(await this.l2.confirms(suspect.dependencies))) return undefined;
    this.l1.fill(placeholder, suspect);
    return found;
  }

  /** @param renew nothing that is there is of use */
  async inL2(request: CacheRequest, placeholder: Ticket | undefined, renew: boolean): Promise<Search> {
    const first = await this.#read(request.key, placeholder, renew);
    if (first.outcome !== 'hit') return first.outcome === 'bypass' ? { blocked: first.reason } : {};
    const variants = variantsIn(first.entry.body);
    if (!variants) return { found: this.#match('l2', request, request.key, first.entry) } as Search;
    this.#fillL1(request.key, first.entry);
    const key = variantKey(request, variants);
    const second = key === undefined ? undefined : await this.#read(key, placeholder, false);
    if (second?.outcome !== 'hit') return { variants };
    return { variants, found: this.#match('l2', request, key!, second.entry) } as Search;
  }

  /** The stamp of the response's own URI, for a response about to be made. Undefined where it cannot be had. */
  async uriStamp(uri: string, placeholder: Ticket | undefined): Promise<readonly Dependency[] | undefined> {
    const tag = uriTag(uri);
    if (placeholder) this.l1.watch(placeholder, [tag]);
    return this.settings.cacheL2 ? this.l2.stamps([tag]) : [{ tag, stamp: '' }];
  }

  keepHit({ entry, key }: Found, placeholder: Ticket | undefined): void {
    if (placeholder && isShared(entry, this.policySource, this.settings))
      this.l1.fill(placeholder, entry, responseAddress(key));
  }

  /** Keeps a response where its stamps still hold; one that varies under its variant. */
  async keep(
    request: CacheRequest,
    response: StoredResponse,
    names: readonly string[],
    life: Required<Pick<Fill, 'freshMs' | 'keepMs' | 'dependencies'>>,
    { blocked, variants }: Search,
    placeholder: Ticket | undefined,
  ): Promise<boolean> {
    const known = names.length > 0 ? withVariant(variants, names, variantOf(names, request.fields)) : undefined;
    const key = (known && variantKey(request, known)) ?? request.key;
    const fill = { ...life, body: serialise(response) };
    const alone = blocked === 'disabled' && !this.settings.cacheL2;
    let accepted = blocked === undefined && (await this.#store(key, fill));
    if (accepted && known)
      await this.#store(request.key, { ...life, body: serialiseVariants(known), freshMs: life.keepMs });
    if (blocked === undefined && !accepted) this.count('l2', 'refused');
    // With L2 switched off, L1 alone may keep it.
    if (placeholder && (accepted || (alone && !known)) && isShared(fill, this.policySource, this.settings)) {
      accepted = this.l1.fill(placeholder, fill, responseAddress(key)) !== undefined || accepted;
    }
    return accepted;
  }

  count(level: LevelName, result: RequestResult): void {
    this.events.emit({ type: 'request', layer: 'api', level, result });
  }

  async #read(key: string, placeholder: Ticket | undefined, renew: boolean): Promise<ReadResult> {
    const found = await this.l2.read(responseAddress(key), {
      staleMs: Infinity,
      renew,
      watch: (tags) => placeholder && this.l1.watch(placeholder, tags),
    });
    if (found.outcome !== 'hit') this.count('l2', found.outcome);
    return found;
  }

  async #store(key: string, fill: Fill): Promise<boolean> {
    const ticket = await this.l2.read(responseAddress(key), { renew: true });
    return ticket.outcome === 'miss' && (await this.l2.fill(ticket.ticket, fill)) !== undefined;
  }

  /** The list of variants says only where to look: what is found there stands on stamps of its own. */
  #fillL1(key: string, entry: Entry): void {
    const placeholder = this.l1.take(responseAddress(key));
    if (!placeholder) return;
    this.#watch(placeholder, entry.dependencies);
    this.l1.fill(placeholder, entry);
  }

  #watch(placeholder: Ticket, dependencies: readonly Dependency[]): void {
    this.l1.watch(
      placeholder,
      dependencies.map(({ tag }) => tag),
    );
  }

  /** Undefined where it is not certain enough, where L1 may not serve it, or not this request: it is somebody's, and this was not made for everybody. */
  #match(level: LevelName, request: CacheRequest, key: string, entry: Entry): Found | undefined {
    if (level === 'l1' && !isShared(entry, this.policySource, this.settings)) return undefined;
    if (needsCertainty(entry, this.policySource) && !this.l2.certain) return undefined;
    const stored = deserialise(entry.body);
    if (isAuthorized(request) && !stored.own?.forAuthorized) return undefined;
    const candidate = candidateOf(entry, stored, this.policySource, this.settings, this.clock.wallMs());
    return { level, key, entry, stored, candidate };
  }
}

/** Undefined where the request's variant is not among those that are kept. */
function variantKey({ key, fields }: CacheRequest, { names, known }: Variants): string | undefined {
  const variant = variantOf(names, fields);
  // No key of a route has a line break.
  return known.includes(variant) ? `${key}\n${variant}` : undefined;
}
