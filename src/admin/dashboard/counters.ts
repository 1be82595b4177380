import { type LifecycleState, type Durations } from '../../http/index.js';
import { type CacheStatsView } from '../dto/cache-stats.js';

/** Jobs of the warming queue; null while it cannot be asked. */
export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
  readonly completed: number;
}

/**
 * What the public half of the dashboard shows: numbers and states of this node. Never a key, a tag, a name of a host or a
 * generation: whoever may see more signs in.
 */
export interface Counters extends Omit<CacheStatsView, 'l2'> {
  readonly type: 'counters';
  /** In ms, the same on every worker: rates are differences of counters over differences of this. */
  readonly atMs: number;
  readonly state: LifecycleState;
  readonly upSeconds: number;
  /** Whether there is an admin token to sign in with. */
  readonly admin: boolean;
  readonly layers: { readonly api: boolean; readonly db: boolean };
  readonly l2: Omit<CacheStatsView['l2'], 'generation' | 'namespace'>;
  readonly feed: { readonly state: string; readonly lagSeconds: number | null };
  readonly queue: QueueCounts | null;
  /** How long answers took, by the level that gave them: `lane`, `api-l1` … `database`. */
  readonly answers: Readonly<Record<string, Durations>>;
  /** Upper bounds of their buckets, in seconds. */
  readonly buckets: readonly number[];
}
