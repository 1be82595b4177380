import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import {
  CacheEvents,
  CacheInspector,
  Clock,
  type CurrentRow,
  Inspectables,
  type Layer,
  layers,
  type LevelName,
  levelNames,
  PolicySource,
  sharesL1,
  type Subject,
  versionIn,
} from '../cache/index.js';
import { Settings } from '../config/index.js';
import { isDatabaseUnavailable } from '../database/index.js';

/** Rows of one round: half of them were changed lately, half of them are what this node has used. */
const rowsOfRound = 20;
/** Longer than the change feed takes to tell of a write that went past the service, or whose writer died. */
const feedMs = 2_000;

/** A version that a place would serve. */
interface Served {
  readonly layer: Layer;
  readonly level: LevelName;
  readonly version: number | null;
}

interface Comparison {
  readonly subject: Subject;
  readonly row: CurrentRow | null;
  readonly served: readonly Served[];
}

/**
 * Compares, now and then, what this node would serve with the database. What differs may be on its way: it is looked at
 * again when everything that a policy allows has passed, and only what has not moved by then is a broken promise (`ttl` has
 * made none). Each node looks for itself, because only it sees its memory.
 */
@Injectable()
export class Inspector implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger('Inspector');
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    private readonly settings: Settings,
    private readonly inspector: CacheInspector,
    private readonly inspectables: Inspectables,
    private readonly policySource: PolicySource,
    private readonly clock: Clock,
    private readonly events: CacheEvents,
  ) {}

  onApplicationBootstrap(): void {
    if (this.settings.inspectEveryMs > 0) this.#schedule();
  }

  onModuleDestroy(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** One round. @returns how many places were out of date beyond what their policy allows */
  async inspect(): Promise<number> {
    const differing: Comparison[] = [];
    for (const subject of await this.#sample()) {
      const compared = await this.#compare(subject);
      if (!compared) continue;
      const old = compared.served.filter((place) => place.version !== (compared.row?.version ?? null));
      this.#report(compared.served.filter((place) => !old.includes(place)));
      if (old.length > 0) differing.push({ ...compared, served: old });
    }
    if (differing.length === 0) return 0;
    const { cacheL1LeaseMs, redisTimeoutMs } = this.settings;
    await this.clock.sleep(cacheL1LeaseMs + redisTimeoutMs + feedMs);
    let broken = 0;
    for (const comparison of differing) if (!this.#closed) broken += await this.#lookAgain(comparison);
    return broken;
  }

  #schedule(): void {
    const spread = 0.5 + Math.random();
    this.#timer = setTimeout(() => void this.#round(), this.settings.inspectEveryMs * spread).unref();
  }

  async #round(): Promise<void> {
    try {
      await this.inspect();
    } catch (error) {
      // Without the database there is nothing to compare with.
      if (!this.#closed && !isDatabaseUnavailable(error)) this.#logger.error(error);
    }
    if (!this.#closed) this.#schedule();
  }

  /** A row may be named by its own key and by the path of its response. */
  async #sample(): Promise<Iterable<Subject>> {
    const half = rowsOfRound / 2;
    const keys = [...this.inspector.usedLately(half), ...(await this.inspectables.changedLately(half))];
    const subjects = keys.flatMap((key) => this.inspectables.subjectOf(key) ?? []);
    return new Map(subjects.map((subject) => [subject.path, subject])).values();
  }

  /** The places first, then the row: what is served was served before the row was read. Lists are not compared. */
  async #compare(subject: Subject): Promise<Comparison | undefined> {
    if (!subject.current) return undefined;
    const { layers: found } = await this.inspector.look(subject);
    const rules = this.policySource.rulesOf(subject.entity);
    const served = layers.flatMap((layer) =>
      levelNames.flatMap((level) => {
        const place = found[layer][level];
        if (!('entry' in place) || !place.entry?.valid) return [];
        if (level === 'l1' && !sharesL1(rules, this.settings)) return [];
        const version = versionIn(layer, place.entry.body);
        return version === undefined ? [] : [{ layer, level, version }];
      }),
    );
    return { subject, row: await subject.current(), served };
  }

  async #lookAgain({ subject, served: before, row: changed }: Comparison): Promise<number> {
    const compared = await this.#compare(subject);
    if (!compared) return 0;
    const { row, served } = compared;
    const isSame = (a: Served) => (b: Served) => a.layer === b.layer && a.level === b.level && a.version === b.version;
    const stuck = before.filter((place) => place.version !== (row?.version ?? null) && served.some(isSame(place)));
    this.#report(before.filter((place) => !stuck.includes(place)));
    if (stuck.length === 0) return 0;
    const staleSeconds = changed ? Math.max(0, this.clock.wallMs() - changed.changedAtMs) / 1_000 : 0;
    const broken = this.policySource.policyOf(subject.entity) !== 'ttl';
    this.#report(stuck, staleSeconds, broken);
    if (!broken) return 0;
    for (const { layer, level, version } of stuck)
      this.#logger.error(
        `${layer} ${level} serves version ${version ?? 'none'} of ${subject.path}; the database has ${row?.version ?? 'none'}`,
      );
    return stuck.length;
  }

  #report(places: readonly Served[], staleSeconds = 0, broken = false): void {
    for (const { layer } of places) this.events.emit({ type: 'inspected', layer, staleSeconds, broken });
  }
}
