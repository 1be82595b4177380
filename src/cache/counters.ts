import { Injectable } from '@nestjs/common';
import {
  CacheEvents,
  type InvalidationSource,
  invalidationSources,
  type Layer,
  layers,
  type LevelName,
  levelNames,
  type RequestResult,
  requestResults,
} from './events.js';

/** What this process has counted since it began. A read costs one increment; whoever shows the numbers reads them here. */
@Injectable()
export class CacheCounters {
  readonly requests = zeros(layers, () => zeros(levelNames, () => zeros(requestResults, () => 0)));
  readonly invalidations: Record<InvalidationSource, number> = zeros(invalidationSources, () => 0);
  loads = 0;
  loadSeconds = 0;
  joined = 0;

  constructor(events: CacheEvents) {
    events.on('request', ({ layer, level, result }) => (this.requests[layer][level][result] += 1));
    events.on('invalidated', ({ source }) => (this.invalidations[source] += 1));
    events.on('joined', () => (this.joined += 1));
    events.on('load', ({ seconds }) => {
      this.loads += 1;
      this.loadSeconds += seconds;
    });
  }
}

export type RequestCounts = Readonly<
  Record<Layer, Readonly<Record<LevelName, Readonly<Record<RequestResult, number>>>>>
>;

function zeros<Name extends string, T>(names: readonly Name[], zero: () => T): Record<Name, T> {
  return Object.fromEntries(names.map((name) => [name, zero()])) as Record<Name, T>;
}
