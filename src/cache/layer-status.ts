import { type PolicyName } from '../policies/index.js';
import { type LevelName } from './events.js';
import { type Unavailability } from './cache.errors.js';

/** Why a layer went forward, in the terms of RFC 9211 section 2.2. */
export type Forward = 'uri-miss' | 'vary-miss' | 'stale' | 'request' | 'bypass';

/** How one layer handled one read. */
export type LayerStatus =
  | { readonly hit: true; readonly level: LevelName; readonly policy: PolicyName; readonly ttlMs: number }
  | {
      readonly hit: false;
      readonly forward: Forward;
      readonly forwardStatus?: number;
      readonly stored: boolean;
      readonly collapsed: boolean;
      readonly detail?: Unavailability | 'request' | 'uncacheable';
      readonly policy: PolicyName | undefined;
    };

/** Of several reads of one layer, the one that cost most: miss > stale > L2 > L1. */
export function worst(statuses: readonly LayerStatus[]): LayerStatus | undefined {
  return statuses.reduce<LayerStatus | undefined>((a, b) => (a && cost(a) >= cost(b) ? a : b), undefined);
}

function cost(status: LayerStatus): number {
  if (!status.hit) return 3;
  if (status.ttlMs < 0) return 2;
  return status.level === 'l2' ? 1 : 0;
}
