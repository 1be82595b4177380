import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type Response } from 'express';
import { Clock } from '../../cache/index.js';
import { Settings } from '../../config/index.js';
import { AnswerDurations, durationBuckets, Lifecycle } from '../../http/index.js';
import { ChangeFeed } from '../../invalidation/index.js';
import { Siblings, workerName } from '../../workers/index.js';
import { CacheStats } from '../cache-stats.service.js';
import { EventStreams } from '../events/event-streams.js';
import { type Counters } from './counters.js';
import { totalCounters } from '../total.js';
import { QueueLook } from './queue-look.service.js';

/** Of an older picture nothing is of use once there is a newer one: a slow client gets few of them. */
const options = { capacity: 2, gatherMs: 0, heartbeatMs: 15_000, maxClients: 200 };
const everyMs = 1_000;

/**
 * The counters of this node, of all its workers where it has several, once a second to whoever looks at the page. While
 * nobody does, nothing is done.
 */
@Injectable()
export class LiveCounters implements OnModuleInit, OnApplicationShutdown {
  readonly #streams: EventStreams;
  readonly #beganMs: number;

  constructor(
    private readonly settings: Settings,
    private readonly stats: CacheStats,
    private readonly durations: AnswerDurations,
    private readonly feed: ChangeFeed,
    private readonly queue: QueueLook,
    private readonly clock: Clock,
    private readonly lifecycle: Lifecycle,
    private readonly siblings: Siblings,
  ) {
    this.#beganMs = clock.monotonicMs();
    this.#streams = new EventStreams(lifecycle, options, () => {
      const timer = setInterval(
        () => void this.#total().then((counters) => this.#streams.push(counters)),
        everyMs,
      ).unref();
      return () => clearInterval(timer);
    });
  }

  /** @throws 503 when the service drains or too many look */
  connect(res: Response): void {
    const stream = this.#streams.connect(res);
    void this.#total().then((counters) => stream.push(counters));
  }

  onModuleInit(): void {
    this.siblings.whenAsked('counters', () => Promise.resolve(JSON.stringify(this.read())));
  }

  async #total(): Promise<Counters> {
    const name = workerName();
    const all = (await this.siblings.all('counters')).map((text) => JSON.parse(text) as Counters);
    const own = all.find(({ workers }) => name === undefined || workers.includes(name)) ?? this.read();
    return totalCounters([own, ...all.filter((each) => each !== own)]);
  }

  /** Of this process. */
  read(): Counters {
    const { l2, ...stats } = this.stats.read();
    const { enabled, breaker } = l2;
    const { cacheApi: api, cacheDb: db, adminToken } = this.settings;
    const atMs = this.clock.monotonicMs();
    return {
      type: 'counters',
      atMs: Math.round(performance.timeOrigin + atMs),
      state: this.lifecycle.state,
      upSeconds: Math.round((atMs - this.#beganMs) / 1000),
      admin: adminToken !== undefined,
      layers: { api, db },
      ...stats,
      l2: { enabled, breaker },
      feed: { state: this.feed.state, lagSeconds: this.feed.lagSeconds ?? null },
      queue: this.queue.latest(),
      answers: this.durations.byOrigin(),
      buckets: durationBuckets,
    };
  }

  onApplicationShutdown(): void {
    this.#streams.end();
  }
}
