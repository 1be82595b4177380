export { InvalidationModule } from './invalidation.module.js';
export { ChangeFeed } from './feed/change-feed.js';
export { InvalidationBus } from './bus/invalidation-bus.js';
export { Invalidator } from './invalidator.js';
export { Journal } from './journal/journal.js';
export { EvictionPolicyError, SupersededSwitchError, UnidentifiedServerError } from './invalidation.errors.js';
export { PolicyRegistry } from './policies/policy-registry.js';
export { PolicySwitch } from './policies/policy-switch.js';
export { LockedRows, type RowStatement } from './subscriber/locked-rows.js';
