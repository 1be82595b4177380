import { policies, type PolicyName } from '../../../policies/index.js';
import { isCoarse, type Tag } from '../../core/tags.js';
import { parseDirectives } from './directives.js';
import { type HeaderLine } from './freshen.js';

/** What a route tells the caches behind this one, beyond what its handler says. */
export interface DownstreamOptions {
  /** Seconds that a CDN may keep it, at most its whole lifetime here; undefined: nothing is said (RFC 9213). */
  readonly cdnMaxAgeS?: number | undefined;
  /** Names what the response was made of (RFC 9875). */
  readonly groups?: boolean | undefined;
}

/** What every cache can take (RFC 9875, 2). */
const maxGroups = 32;

/**
 * The caching fields of an answer. What the handler says is passed on; where it says nothing, a client asks again before
 * each use. Under a policy that is certain nobody behind this cache may use an answer unasked, whatever the handler says: no invalidation
 * would reach them.
 */
export function downstreamLines(
  own: readonly HeaderLine[],
  policy: PolicyName | undefined,
  lifetimeS: number,
  tags: readonly Tag[],
  { cdnMaxAgeS, groups = false }: DownstreamOptions,
): HeaderLine[] {
  const isCertain = policy !== undefined && policies[policy].isCertain;
  const kept = isCertain ? own.filter(([name]) => !speaksOfLifetime.has(name.toLowerCase())) : [...own];
  const said = new Set(kept.map(([name]) => name.toLowerCase()));
  const lines: HeaderLine[] = kept;
  if (!said.has('cache-control') && !said.has('expires'))
    lines.push(['Cache-Control', isCertain ? forbidding(own) : 'no-cache']);
  const cdnS = Math.min(cdnMaxAgeS ?? 0, Math.floor(lifetimeS));
  if (cdnS > 0 && !isCertain && !said.has('cdn-cache-control') && !said.has('cache-control'))
    lines.push(['CDN-Cache-Control', `max-age=${cdnS}`]);
  if (groups && !said.has('cache-groups') && tags.length > 0) lines.push(['Cache-Groups', groupList(tags)]);
  return lines;
}

const speaksOfLifetime = new Set(['cache-control', 'expires', 'cdn-cache-control', 'surrogate-control']);

/** `no-cache`, next to what the handler forbids already. */
function forbidding(own: readonly HeaderLine[]): string {
  const values = own.flatMap(([name, value]) => (name.toLowerCase() === 'cache-control' ? [value].flat() : []));
  const directives = parseDirectives(values.length > 0 ? values.join(', ') : undefined);
  return ['no-cache', ...['no-store', 'private'].filter((name) => directives.has(name))].join(', ');
}

/** A List of Strings (RFC 9651, 3.1). Tags have no control characters; beyond the limit the coarse ones say enough. */
function groupList(tags: readonly Tag[]): string {
  const named = tags.length <= maxGroups ? tags : tags.filter(isCoarse).slice(0, maxGroups);
  return named.map((tag) => `"${tag.replaceAll(/["\\]/g, '\\$&')}"`).join(', ');
}
