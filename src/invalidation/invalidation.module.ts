import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { InvalidationDelivery, PolicySource } from '../cache/index.js';
import { Acknowledgements } from './bus/acknowledgements.js';
import { Heartbeat } from './bus/heartbeat.js';
import { InvalidationBus } from './bus/invalidation-bus.js';
import { NodeLeases } from './bus/node-leases.js';
import { ChangeFeed } from './feed/change-feed.js';
import { FeedSlot } from './feed/feed-slot.js';
import { FeedTables } from './feed/feed-tables.js';
import { Invalidator } from './invalidator.js';
import { Journal } from './journal/journal.js';
import { OwnWrites } from './own-writes.js';
import { CommitPlanner } from './policies/commit-planner.js';
import { PolicyRegistry } from './policies/policy-registry.js';
import { PolicyStore } from './policies/policy-store.js';
import { PolicySwitch } from './policies/policy-switch.js';
import { CacheSubscriber } from './subscriber/cache.subscriber.js';
import { OpenTransactions } from './subscriber/open-transactions.js';
import { LockedRows } from './subscriber/locked-rows.js';
import { StatementTransactions } from './subscriber/statement-transactions.js';
import { CachedTables } from './writes/cached-tables.js';
import { RuleCheck } from './writes/rule-check.js';

/** Makes writes known to the cache: subscriber, policies, bus and lease, change feed, journal. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    Acknowledgements,
    Heartbeat,
    NodeLeases,
    InvalidationBus,
    Journal,
    Invalidator,
    OwnWrites,
    PolicyStore,
    PolicyRegistry,
    PolicySwitch,
    { provide: PolicySource, useExisting: PolicyRegistry },
    { provide: InvalidationDelivery, useExisting: Invalidator },
    CommitPlanner,
    OpenTransactions,
    LockedRows,
    CachedTables,
    RuleCheck,
    CacheSubscriber,
    StatementTransactions,
    FeedTables,
    FeedSlot,
    ChangeFeed,
  ],
  exports: [
    ChangeFeed,
    InvalidationDelivery,
    PolicySource,
    PolicyRegistry,
    PolicySwitch,
    Invalidator,
    Journal,
    InvalidationBus,
    LockedRows,
  ],
})
export class InvalidationModule {}
