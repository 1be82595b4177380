import { CreateItems1730000000000 } from './1730000000000-create-items.js';
import { CreateIdempotencyKeys1730000001000 } from './1730000001000-create-idempotency-keys.js';
import { CreateCachePolicies1730000002000 } from './1730000002000-create-cache-policies.js';
import { CreateSeeds1730000003000 } from './1730000003000-create-seeds.js';
import { CreateChangeFeed1730000004000 } from './1730000004000-create-change-feed.js';
import { CreateCacheGeneration1730000005000 } from './1730000005000-create-cache-generation.js';
import { CreatePolicyLock1730000007000 } from './1730000007000-create-policy-lock.js';

/** Every migration, oldest first. */
export const migrations = [
  CreateItems1730000000000,
  CreateIdempotencyKeys1730000001000,
  CreateCachePolicies1730000002000,
  CreateSeeds1730000003000,
  CreateChangeFeed1730000004000,
  CreateCacheGeneration1730000005000,
  CreatePolicyLock1730000007000,
];
