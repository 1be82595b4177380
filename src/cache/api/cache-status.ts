import { type PolicyName } from '../../config/index.js';
import { type Layer, type LevelName } from '../events.js';
import { type Unavailability } from '../cache.errors.js';

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

/** One member of the `Cache-Status` list. @see RFC 9211 */
export function member(layer: Layer, status: LayerStatus): string {
  const parts = [`strata-${layer}`];
  if (status.hit) {
    parts.push('hit');
    // The db layer's lifetime is of no use to a client, unless it is over.
    if (layer === 'api' || status.ttlMs < 0) parts.push(`ttl=${Math.floor(status.ttlMs / 1000)}`);
    parts.push(`detail=${status.level}`);
  } else {
    parts.push(`fwd=${status.forward}`);
    if (status.forwardStatus !== undefined) parts.push(`fwd-status=${status.forwardStatus}`);
    if (status.stored) parts.push('stored');
    if (status.collapsed) parts.push('collapsed');
    if (status.detail) parts.push(`detail=${status.detail}`);
  }
  if (status.policy) parts.push(`strata-policy=${status.policy}`);
  return parts.join('; ');
}

/** Of several reads of one layer, the one that cost most: miss > stale > L2 > L1. */
export function worst(statuses: readonly LayerStatus[]): LayerStatus | undefined {
  return statuses.reduce<LayerStatus | undefined>((a, b) => (a && cost(a) >= cost(b) ? a : b), undefined);
}

function cost(status: LayerStatus): number {
  if (!status.hit) return 3;
  if (status.ttlMs < 0) return 2;
  return status.level === 'l2' ? 1 : 0;
}
