import { type Layer } from '../events.js';
import { type LayerStatus } from '../layer-status.js';

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
