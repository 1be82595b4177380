import { type RequestTerms } from './request-terms.js';

/** A stored response at the moment of a request, as far as its reuse goes. All in seconds. */
export interface Candidate {
  readonly ageS: number;
  /** What is left of its lifetime; negative once stale. */
  readonly freshForS: number;
  readonly noCache: boolean;
  readonly mustRevalidate: boolean;
  readonly staleWhileRevalidateS: number;
  readonly staleIfErrorS: number;
}

/**
 * What a stored response is good for (RFC 9111, 4): to be `served`, served and `renewed` behind the answer (RFC 5861, 3),
 * or only after it was validated: because the request `asked` for that, or because it is `stale`.
 */
export type Reuse = 'served' | 'renewed' | 'asked' | 'stale';

export function judge(candidate: Candidate, request: RequestTerms): Reuse {
  const { ageS, freshForS, noCache, mustRevalidate, staleWhileRevalidateS } = candidate;
  if (request.noCache) return 'asked';
  if (request.maxAgeS !== undefined && Math.floor(ageS) > request.maxAgeS) return 'asked';
  if (noCache) return 'stale';
  if (freshForS > 0) return freshForS < (request.minFreshS ?? 0) ? 'asked' : 'served';
  if (mustRevalidate) return 'stale';
  if (-freshForS < staleWhileRevalidateS) return 'renewed';
  return -freshForS <= (request.maxStaleS ?? -1) ? 'served' : 'stale';
}

/** Whether it may stand in for an error (RFC 5861, 4). */
export function standsIn({ freshForS, noCache, mustRevalidate, staleIfErrorS }: Candidate): boolean {
  return freshForS > 0 ? !noCache : !noCache && !mustRevalidate && -freshForS < staleIfErrorS;
}
