import Negotiator from 'negotiator';
import { type IncomingMessage } from 'node:http';
import { type EncodingPreference, encodingPreference, memoize } from '../../../http/index.js';
import { handlingOf, type LaneRefusal } from './known-headers.js';

/** All that may choose between the recorded answers of one URL. */
export interface LaneRequest {
  readonly preference: EncodingPreference;
  readonly noneMatch: string | undefined;
}

type Asked = Pick<IncomingMessage, 'method' | 'rawHeaders'>;

/** Reads a request that the lane may answer, or says why it may not. It looks at the fields as they were sent, once. */
export function laneRequestOf({ method, rawHeaders }: Asked): LaneRequest | LaneRefusal {
  if (method !== 'GET' && method !== 'HEAD') return 'method';
  let encoding: string | undefined;
  let noneMatch: string | undefined;
  let accept: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const handling = handlingOf(rawHeaders[at]!);
    if (handling === 'irrelevant') continue;
    if (typeof handling === 'object') return handling.refused;
    const value = rawHeaders[at + 1]!;
    if (handling === 'accept-encoding') {
      if (encoding !== undefined) return 'repeated';
      encoding = value;
    } else if (handling === 'if-none-match') {
      if (noneMatch !== undefined) return 'repeated';
      noneMatch = value;
    } else {
      if (accept !== undefined) return 'repeated';
      accept = value;
    }
  }
  if (accept !== undefined && accept !== '*/*' && !acceptsJson(accept)) return 'accept';
  return { preference: encodingPreference(encoding), noneMatch };
}

/** Recorded answers are JSON; who may not want that is asked by the route. */
const acceptsJson = memoize(
  (accept: string) => new Negotiator({ headers: { accept } }).mediaTypes(['application/json']).length > 0,
);
