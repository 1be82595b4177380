/** What tests of the protocol build a node of; the application gets it from {@link CacheModule}. */
export * from './index.js';
export { SingleFlight } from './engine/single-flight.js';
export { Authority } from './levels/l2/authority.js';
export { GenerationRecord } from './levels/l2/generation.js';
export { initKey, recordKey, tagKey } from './levels/l2/keys.js';
export { scripts } from './levels/l2/scripts.js';
export type { Address, Filled } from './levels/level.js';
