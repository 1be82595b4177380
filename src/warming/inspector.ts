import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import {
  type CacheEvent,
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
import { policies } from '../policies/index.js';
import { isDatabaseUnavailable } from '../database/index.js';

/** Rows of one round: half of them were changed lately, half of them are what this node has used. */
const rowsOfRound = 20;
/** Longer than it takes another node to read the change feed on, where the machine of its reader has vanished. */
const feedMs = 7_000;

/** A version that a place would serve. */
interface Served {
  readonly layer: Layer;
  readonly level: LevelName;
  readonly version: number | null;
}

type Finding = Pick<Extract<CacheEvent, { type: 'inspected' }>, 'staleSeconds' | 'broken'>;

const upToDate: Finding = { staleSeconds: 0, broken: false };

interface Comparison {
  readonly subject: Subject;
  readonly row: CurrentRow | null;
  readonly served: readonly Served[];
  /** For how long what differs has been out of date; of a row that is gone, nobody knows. */
  readonly staleSeconds: number | undefined;
}

/**
 * Compares, now and then, what this node would serve with the database. What differs may be on its way: it is looked at
 * again when everything that a policy allows has passed, and only what has not moved by then is a broken promise. `ttl` has
 * made none; without the change feed, SQL from elsewhere looks the same, and nothing is called broken. Each node looks for
 * itself, because only it sees its memory.
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
      this.#report(
        compared.served.filter((place) => !old.includes(place)),
        upToDate,
      );
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
    const staleMs = policies[rules].servesStale ? this.settings.cacheStaleMs : 0;
    const served = layers.flatMap((layer) =>
      levelNames.flatMap((level) => {
        const place = found[layer][level];
        if (!('entry' in place) || !place.entry?.valid) return [];
        if (place.entry.keepMs <= 0 || place.entry.freshMs + staleMs <= 0) return [];
        if (level === 'l1' && !sharesL1(rules, this.settings)) return [];
        const version = versionIn(layer, place.entry.body);
        return version === undefined ? [] : [{ layer, level, version }];
      }),
    );
    const row = await subject.current();
    const staleSeconds = row ? Math.max(0, this.clock.wallMs() - row.changedAtMs) / 1_000 : undefined;
    return { subject, row, served, staleSeconds };
  }

  async #lookAgain({ subject, served: before, staleSeconds: atFirst }: Comparison): Promise<number> {
    const compared = await this.#compare(subject);
    if (!compared) return 0;
    const { row, served, staleSeconds } = compared;
    const isSame = (a: Served) => (b: Served) => a.layer === b.layer && a.level === b.level && a.version === b.version;
    const stuck = before.filter((place) => place.version !== (row?.version ?? null) && served.some(isSame(place)));
    const moved = before.filter((place) => !stuck.includes(place));
    this.#report(moved, { staleSeconds: atFirst, broken: false });
    const broken = this.settings.cacheFeed && policies[this.policySource.policyOf(subject.entity)].tellsOfWrites;
    this.#report(stuck, { staleSeconds, broken });
    if (!broken) return 0;
    for (const { layer, level, version } of stuck)
      this.#logger.error(
        `${layer} ${level} serves version ${version ?? 'none'} of ${subject.path}; the database has ${row?.version ?? 'none'}`,
      );
    return stuck.length;
  }

  #report(places: readonly Served[], { staleSeconds, broken }: Finding): void {
    for (const { layer } of places) this.events.emit({ type: 'inspected', layer, staleSeconds, broken });
  }
}
