/** How long a value may be used. All in milliseconds. */
export interface Lifetime {
  /** From the fill: fresh. */
  readonly freshMs: number;
  /** From the fill: kept, hence fresh or stale-but-verified. */
  readonly keepMs: number;
}

export interface FreshnessSettings {
  readonly ttlMs: number;
  /** 0.1 spreads the TTL by ± 10 %, so that entries filled together do not expire together. */
  readonly jitter: number;
  readonly staleMs: number;
}

/** @param random uniform in [0, 1). */
export function lifetime({ ttlMs, jitter, staleMs }: FreshnessSettings, random: number): Lifetime {
  const freshMs = Math.max(1, Math.round(ttlMs * (1 + jitter * (2 * random - 1))));
  return { freshMs, keepMs: freshMs + staleMs };
}

/** The narrower of two lifetimes: what a value made of both parts may claim. */
export function narrower(a: Lifetime, b: Lifetime): Lifetime {
  return { freshMs: Math.min(a.freshMs, b.freshMs), keepMs: Math.min(a.keepMs, b.keepMs) };
}
