import { type Fields, field, members } from './fields.js';
import { parseHttpDate } from './http-date.js';

/**
 * How old a response was when it arrived, in seconds: what `Age` of the caches before this one says, or what its `Date`
 * shows, whichever is more (RFC 9111, 4.2.3). Of several `Age` values the first counts, and one that is no number of
 * seconds counts for nothing (5.1).
 * @param askedMs wall clock when the response was asked for
 * @param receivedMs wall clock when it was there
 */
export function initialAgeS(fields: Fields, askedMs: number, receivedMs: number): number {
  const [first = ''] = members(field(fields, 'age'));
  const ageS = /^\d+$/.test(first) ? Number(first) : 0;
  const delayS = Math.max(0, receivedMs - askedMs) / 1_000;
  const dateMs = parseHttpDate(field(fields, 'date'), receivedMs) ?? receivedMs;
  // Dates are whole seconds: one that was cut off is no age.
  const apparentS = Math.max(0, Math.floor((receivedMs - dateMs) / 1_000));
  return Math.max(apparentS, ageS > 0 ? ageS + delayS : 0);
}
