// @ts-check
/** Nothing of what is configured around us. @returns {NodeJS.ProcessEnv} */
export function bareEnvironment() {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, TMPDIR, NODE_ENV: 'production', TZ: 'UTC', LOG_LEVEL: 'info' };
}

/**
 * What a node is configured with.
 * @param {Pick<import('./options.mjs').Options, 'policy' | 'settings' | 'l1Strict'>} options
 * @param {{ databaseUrl: string, redisPort: number, redisUser?: string, adminToken: string }} found
 * @returns {NodeJS.ProcessEnv}
 */
export function nodeEnvironment({ policy, settings, l1Strict }, { databaseUrl, redisPort, redisUser, adminToken }) {
  return {
    ...bareEnvironment(),
    PORT: '0',
    HOST: '127.0.0.1',
    DATABASE_URL: databaseUrl,
    REDIS_URL: `redis://${redisUser ? `${redisUser}@` : ''}127.0.0.1:${redisPort}`,
    ADMIN_TOKEN: adminToken,
    CACHE_POLICY: policy,
    CACHE_TTL_MS: String(settings.ttlMs),
    CACHE_TTL_JITTER: String(settings.jitter),
    CACHE_STALE_MS: String(settings.staleMs),
    CACHE_L1_LEASE_MS: String(settings.leaseMs),
    CACHE_L1_STRICT: l1Strict,
    REDIS_TIMEOUT_MS: String(settings.redisTimeoutMs),
  };
}
