import { deltaSeconds, type Directives, listedFields, parseDirectives } from './directives.js';
import { type Fields, field } from './fields.js';
import { parseHttpDate } from './http-date.js';
import { targetedDirectives } from './targeted.js';

/** What a response says about its own reuse. All in seconds. */
export interface ResponseTerms {
  /** From the moment it was generated; undefined: it says nothing (and nothing is guessed, heuristics are off). */
  readonly lifetimeS: number | undefined;
  /** It must be validated before every reuse (RFC 9111, 5.2.2.4). */
  readonly noCache: boolean;
  /** It must not be used stale, whatever happens: `must-revalidate`, `proxy-revalidate`, `s-maxage` (5.2.2). */
  readonly mustRevalidate: boolean;
  /** How long past its lifetime it may be served while it is renewed behind it (RFC 5861, 3). */
  readonly staleWhileRevalidateS: number | undefined;
  /** How long past its lifetime it may stand in for an error (RFC 5861, 4). */
  readonly staleIfErrorS: number | undefined;
}

/** The directives that a shared cache goes by: those aimed at it (RFC 9213), where it listens to them, else all caches'. */
export function effectiveDirectives(fields: Fields, targeted: boolean): { directives: Directives; aimed: boolean } {
  const aimed = targeted ? targetedDirectives(field(fields, 'cdn-cache-control')) : undefined;
  return { directives: aimed ?? parseDirectives(field(fields, 'cache-control')), aimed: aimed !== undefined };
}

/**
 * Reads the terms of a response for a shared cache.
 * @param targeted whether `CDN-Cache-Control` is listened to
 * @param receivedMs wall clock when the response was made or received
 */
export function responseTerms(fields: Fields, targeted: boolean, receivedMs: number): ResponseTerms {
  const { directives, aimed } = effectiveDirectives(fields, targeted);
  const noCache = directives.get('no-cache');
  return {
    lifetimeS: explicitLifetime(directives) ?? (aimed ? undefined : lifetimeByExpires(fields, receivedMs)),
    noCache: noCache !== undefined && listedFields(noCache).length === 0,
    mustRevalidate: ['must-revalidate', 'proxy-revalidate', 's-maxage'].some((name) => directives.has(name)),
    staleWhileRevalidateS: deltaSeconds(directives.get('stale-while-revalidate')),
    staleIfErrorS: deltaSeconds(directives.get('stale-if-error')),
  };
}

/** `s-maxage` before `max-age` (RFC 9111, 4.2.1). What is no number of seconds makes the response stale. */
function explicitLifetime(directives: Directives): number | undefined {
  const name = ['s-maxage', 'max-age'].find((directive) => directives.has(directive));
  return name === undefined ? undefined : (deltaSeconds(directives.get(name)) ?? 0);
}

/** `Expires` minus `Date` (4.2.1); an invalid `Expires` is a time in the past (5.3). */
function lifetimeByExpires(fields: Fields, receivedMs: number): number | undefined {
  const text = field(fields, 'expires');
  if (text === undefined) return undefined;
  const expiresMs = parseHttpDate(text, receivedMs) ?? 0;
  const dateMs = parseHttpDate(field(fields, 'date'), receivedMs) ?? receivedMs;
  return Math.max(0, Math.floor((expiresMs - dateMs) / 1_000));
}
