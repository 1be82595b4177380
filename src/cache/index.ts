export { CacheModule } from './cache.module.js';
export { canonicalKey, canonicalQuery } from './api/canonical-key.js';
export { FastLane } from './api/lane/fast-lane.js';
export { Representations } from './api/representations.js';
export { CacheResponse, type CacheResponseOptions, type KeyedRequest } from './api/cache-response.decorator.js';
export { heldValidators } from './api/captured-response.js';
export { deserialise } from './api/stored-response.js';
export {
  CachedEntityError,
  LevelUnavailableError,
  type Unavailability,
  UnknownTagError,
  UnprovenLoadError,
  UnusableRedisError,
} from './cache.errors.js';
export { Clock, isWithin, type Moment, SystemClock } from './clock.js';
export { CacheCounters, type RequestCounts } from './counters.js';
export { InvalidationDelivery } from './delivery.js';
export { type Lifetime, lifetime } from './core/freshness.js';
export { type Dependency, entityOf, isTag, type Tag, valuesEntity } from './core/tags.js';
export { parseSnapshot, sees, type Snapshot } from './core/snapshot.js';
export { wideXid } from './core/wide-xid.js';
export { queryAddress, rowAddress } from './engine/addresses.js';
export { ReadThrough } from './engine/read-through.js';
export { noteStatement, SharedRead } from './engine/scope.js';
export { WarmFill, type WarmOutcome } from './engine/warm-fill.js';
export {
  type BreakerState,
  type CacheEvent,
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
export {
  CacheInspector,
  type Dependents,
  type KeptEntry,
  type LevelState,
  type EntryReport,
} from './inspection/cache-inspector.js';
export { type CurrentRow, Inspectable, Inspectables, type Subject } from './inspection/inspectable.js';
export { type TagReport } from './inspection/redis-inspector.js';
export { versionIn } from './inspection/versions.js';
export { type Fill, Level, type Ticket } from './levels/level.js';
export { Lease, type Term } from './levels/l1/lease.js';
export { MemoryLevel } from './levels/l1/memory-level.js';
export { generationChannel, invalidationChannel, namespaceOf, nodeChannel, policiesChannel } from './levels/l2/keys.js';
export { EarlierWriters } from './levels/l2/earlier-writers.js';
export { isErrorReply } from './levels/l2/fault-reason.js';
export { Namespace } from './levels/l2/namespace.js';
export { Deadlines } from './levels/l2/deadlines.js';
export { createRedisClient, type RedisClient } from './levels/l2/redis-client.js';
export { RedisFaults, type RedisPath } from './levels/l2/redis-faults.js';
export { RedisConnection } from './levels/l2/redis-connection.js';
export { RedisLevel } from './levels/l2/redis-level.js';
export {
  type Acknowledgement,
  type CommittedChange,
  type Fenced,
  type InvalidationMessage,
  RedisTags,
  type Tickets,
  type Writer,
  type WrittenRow,
} from './levels/l2/redis-tags.js';
export { keySpelling, spellableTypes } from './key-spelling.js';
export { type Loaded, loadProof, provenSnapshot } from './loaded.js';
export { probe } from './row-probe.js';
export { PolicySource, sharesL1 } from './policy-source.js';
export { type Step, type StepResult, steps } from './steps.js';
export { type EntityRule, EntityRules, listTags, queryTags, type RowId, rowTags } from './rules.js';
