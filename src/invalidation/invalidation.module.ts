import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { PolicySource } from '../cache/index.js';
import { Acknowledgements } from './bus/acknowledgements.js';
import { Heartbeat } from './bus/heartbeat.js';
import { InvalidationBus } from './bus/invalidation-bus.js';
import { ChangeFeed } from './feed/change-feed.js';
import { FeedSlot } from './feed/feed-slot.js';
import { FeedTables } from './feed/feed-tables.js';
import { Invalidator } from './invalidator.js';
import { Journal } from './journal/journal.js';
import { CommitPlanner } from './policies/commit-planner.js';
import { PolicyRegistry } from './policies/policy-registry.js';
import { PolicyStore } from './policies/policy-store.js';
import { PolicySwitch } from './policies/policy-switch.js';
import { StampReader } from './policies/stamp-reader.js';
import { CacheSubscriber } from './subscriber/cache.subscriber.js';
import { OpenTransactions } from './subscriber/open-transactions.js';
import { LockedRows } from './subscriber/locked-rows.js';
import { CachedTables } from './writes/cached-tables.js';
import { RuleCheck } from './writes/rule-check.js';
import { StatementSubscriber } from './writes/statement.subscriber.js';

/** Makes writes known to the cache: subscriber, policies, bus and lease, change feed, journal. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    Acknowledgements,
    Heartbeat,
    InvalidationBus,
    Journal,
    Invalidator,
    PolicyStore,
    PolicyRegistry,
    PolicySwitch,
    { provide: PolicySource, useExisting: PolicyRegistry },
    CommitPlanner,
    StampReader,
    OpenTransactions,
    LockedRows,
    CachedTables,
    RuleCheck,
    CacheSubscriber,
    StatementSubscriber,
    FeedTables,
    FeedSlot,
    ChangeFeed,
  ],
  exports: [ChangeFeed, PolicySource, PolicyRegistry, PolicySwitch, Invalidator, Journal, InvalidationBus, LockedRows],
})
export class InvalidationModule {}
