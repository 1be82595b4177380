/**
 * How long to wait until every lease that may be held now has run out, in ms: the longest lease, and a margin for clocks
 * that do not run equally fast (5 %) and for timers (20 ms).
 */
export const leaseWaitMs = (longestLeaseMs: number): number => Math.ceil(longestLeaseMs * 1.05) + 20;
