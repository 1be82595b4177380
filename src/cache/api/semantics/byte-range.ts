import { type Fields, field } from './fields.js';

export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The one range of bytes that a request wants of a complete response (RFC 9110, 14.2): undefined where it wants all, more
 * than one, or its `If-Range` names another state (13.1.5: strong comparison); `unsatisfiable` past the end.
 */
export function byteRange(
  request: Fields,
  etag: string | undefined,
  length: number,
): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(field(request, 'range') ?? '');
  if (!match || match[0] === 'bytes=-') return undefined;
  const ifRange = field(request, 'if-range');
  if (ifRange !== undefined && (ifRange !== etag || ifRange.startsWith('W/'))) return undefined;
  const [, from = '', to = ''] = match;
  const first = from === '' ? Math.max(0, length - Number(to)) : Number(from);
  const last = from === '' || to === '' ? length - 1 : Math.min(Number(to), length - 1);
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined;
  return first > last ? 'unsatisfiable' : { first, last };
}
