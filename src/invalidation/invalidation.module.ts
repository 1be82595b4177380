import { Global, Module } from '@nestjs/common';
import { PolicySource } from '../cache/index.js';
import { InvalidationBus } from './bus/invalidation-bus.js';
import { Invalidator } from './invalidator.js';
import { Journal } from './journal/journal.js';
import { CommitPlanner } from './policies/commit-planner.js';
import { PolicyRegistry } from './policies/policy-registry.js';
import { CacheSubscriber } from './subscriber/cache.subscriber.js';

/** Makes writes known to the cache: subscriber, policies, bus and lease, journal. */
@Global()
@Module({
  providers: [
    InvalidationBus,
    Journal,
    Invalidator,
    PolicyRegistry,
    { provide: PolicySource, useExisting: PolicyRegistry },
    CommitPlanner,
    CacheSubscriber,
  ],
  exports: [PolicySource, PolicyRegistry, Invalidator, Journal, InvalidationBus],
})
export class InvalidationModule {}
