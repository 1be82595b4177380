export { InvalidationModule } from './invalidation.module.js';
export { InvalidationBus } from './bus/invalidation-bus.js';
export { Invalidator } from './invalidator.js';
export { Journal } from './journal/journal.js';
export { PolicyRegistry } from './policies/policy-registry.js';
