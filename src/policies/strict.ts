import { nothing, type Policy } from './policy.js';

/** No write is acknowledged before every node has stopped serving what it replaces. In textbooks: linearizable caching. */
export const strict = {
  name: 'strict',
  guarantee: 'linearizable per row, through any crash, flush, failover, or partition of one node',
  sharesL1: false,
  servesStale: false,
  isCertain: true,
  tellsOfWrites: true,
  stores: true,
  beforeCommit: (write) => write.fence(),
  committed: (write) => {
    write.forget();
    return write.store();
  },
  outcomeUnknown: nothing,
  rolledBack: (write) => write.withdrawFence(),
} as const satisfies Policy;
