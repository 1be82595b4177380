/**
 * Settings under which a process may stand still for seconds and nothing that a test sees depends on it: a command is not
 * given up, a request not refused, a lease not lost. A test of a deadline says its own.
 */
export const patience = {
  REDIS_TIMEOUT_MS: '20000',
  DATABASE_TIMEOUT_MS: '60000',
  REQUEST_TIMEOUT_MS: '120000',
  CACHE_L1_LEASE_MS: '30000',
  WARM_AT_BOOT_TIMEOUT_MS: '120000',
} as const;
