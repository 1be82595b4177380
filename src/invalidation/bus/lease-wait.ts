import { type Settings } from '../../config/index.js';

/**
 * How long to wait until every lease that may be held now has run out, in ms: the lease, and a margin for clocks that do
 * not run equally fast (5 %) and for timers (20 ms).
 */
export const leaseWaitMs = ({ cacheL1LeaseMs }: Pick<Settings, 'cacheL1LeaseMs'>): number =>
  Math.ceil(cacheL1LeaseMs * 1.05) + 20;
