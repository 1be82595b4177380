import { type Settings } from '../config/index.js';
import { policies, type PolicyName } from '../policies/index.js';

/** Whether L1 may hold what is under a policy: under the lease alone, or because writers wait for its acknowledgement. */
export function sharesL1(policy: PolicyName, { cacheL1Strict }: Pick<Settings, 'cacheL1Strict'>): boolean {
  return policies[policy].sharesL1 || cacheL1Strict === 'acknowledged';
}

/** Which policy an entity is under right now. A port: the invalidation module knows. */
export abstract class PolicySource {
  /** What is promised. */
  abstract policyOf(entity: string): PolicyName;

  /** Whose rules a reader keeps: the stricter of what is promised and what writers do, while a switch is under way. */
  abstract rulesOf(entity: string): PolicyName;

  /** Whether a node that hears nothing may share what it loads: under a policy that it has confirmed within a lease. */
  abstract sharesWithoutRedis(entity: string): boolean;
}
