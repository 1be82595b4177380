import { type Fields, field } from './fields.js';
import { parseHttpDate } from './http-date.js';

/** What identifies one state of a representation. */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

export function validatorsOf(fields: Fields): Validators {
  const etag = field(fields, 'etag');
  const lastModified = field(fields, 'last-modified');
  return { ...(etag !== undefined && { etag }), ...(lastModified !== undefined && { lastModified }) };
}

const entityTags = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

/** The weak comparison of RFC 9110, 8.8.3.2: the same but for `W/`. */
export const weaklyEqual = (a: string, b: string): boolean => a.replace(/^W\//, '') === b.replace(/^W\//, '');

/** Whether `If-None-Match` names a tag. */
export const names = (noneMatch: string, etag: string): boolean =>
  noneMatch === etag || (noneMatch.match(entityTags) ?? []).some((tag) => weaklyEqual(tag, etag));

/**
 * Whether the client has it already: 304 (RFC 9110, 13.1.2, 13.1.3, 13.2.2). `If-None-Match` counts before
 * `If-Modified-Since`, which is compared with `Last-Modified`, else `Date` (RFC 9111, 4.3.2).
 */
export function isNotModified(request: Fields, stored: Fields, nowMs: number): boolean {
  const noneMatch = field(request, 'if-none-match');
  if (noneMatch !== undefined) {
    if (noneMatch.trim() === '*') return true;
    const etag = field(stored, 'etag');
    return etag !== undefined && names(noneMatch, etag);
  }
  const sinceMs = parseHttpDate(field(request, 'if-modified-since'), nowMs);
  if (sinceMs === undefined) return false;
  const changedMs = parseHttpDate(field(stored, 'last-modified') ?? field(stored, 'date'), nowMs);
  return changedMs !== undefined && changedMs <= sinceMs;
}
