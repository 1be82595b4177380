import { type PolicyName, type Settings } from '../config/index.js';

/** What a policy lets a reader do. What it makes a writer do lives with the invalidation module. */
export interface PolicyTraits {
  /** Weak to strong: a response made of several parts promises what its weakest part does. */
  readonly strength: number;
  /** May the in-process level hold it under the lease alone? */
  readonly sharesL1: boolean;
  /** May a value past freshness be served while its stamps still hold (RFC 5861)? */
  readonly servesStale: boolean;
  /** One sentence for people. */
  readonly guarantee: string;
}

export const policies: Readonly<Record<PolicyName, PolicyTraits>> = {
  ttl: {
    strength: 0,
    sharesL1: true,
    servesStale: true,
    guarantee: 'at most TTL + jitter (+ `CACHE_STALE_MS`) old',
  },
  invalidate: {
    strength: 1,
    sharesL1: true,
    servesStale: true,
    guarantee:
      'a read after an acknowledged write is never older than it, on another node from the moment that the ' +
      'invalidation arrives there, at most the lease later; ' +
      'if the writer dies between commit and invalidation, at most the lag of the change feed ' +
      '(without one TTL + jitter + `CACHE_STALE_MS`)',
  },
  'write-through': {
    strength: 2,
    sharesL1: true,
    servesStale: true,
    guarantee: 'as `invalidate`, and the next read of the row is a hit',
  },
  strict: {
    strength: 3,
    sharesL1: false,
    servesStale: false,
    guarantee: 'linearizable per row, through any crash, flush, failover, or partition of one node',
  },
};

export const strictest = (names: readonly PolicyName[]): PolicyName | undefined =>
  names.reduce<PolicyName | undefined>(
    (a, b) => (a && policies[a].strength >= policies[b].strength ? a : b),
    undefined,
  );

export const weakest = (names: readonly PolicyName[]): PolicyName | undefined =>
  names.reduce<PolicyName | undefined>(
    (a, b) => (a && policies[a].strength <= policies[b].strength ? a : b),
    undefined,
  );

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
