import { type Policy } from '../../src/policies/index.js';

/** Fences before COMMIT, as strict does, and stores nothing. */
export const cautious: Policy = {
  name: 'cautious',
  guarantee: 'a read that begins after a write was acknowledged is never older than it',
  sharesL1: true,
  servesStale: false,
  isCertain: false,
  tellsOfWrites: true,
  stores: false,
  beforeCommit: (write) => write.fence(),
  committed: (write) => write.forget(),
  outcomeUnknown: () => undefined,
  rolledBack: (write) => write.withdrawFence(),
};
