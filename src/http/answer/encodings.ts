import Negotiator from 'negotiator';
import { type Representation } from './etag.js';
import { memoize } from '../memoize.js';

export const encodings = ['br', 'gzip', 'identity'] as const;
export type Encoding = (typeof encodings)[number];

/** What a client makes of the encodings that there are: one object per order, so that it can be compared. */
export interface EncodingPreference {
  /** Best first, without those that the client refuses. */
  readonly order: readonly Encoding[];
}

/** Of negotiator 1, which its type declarations do not know yet. */
interface Preferring {
  encodings(available: readonly Encoding[], options: { readonly preferred: readonly Encoding[] }): Encoding[];
}

const preferences = new Map<string, EncodingPreference>();

/**
 * Reads `Accept-Encoding` with its q-values (RFC 9110, 12.5.3). Of what a client likes equally, the smaller one first; `x-gzip`
 * is another name of gzip (8.4.1.3).
 */
export const encodingPreference = memoize((header: string | undefined): EncodingPreference => {
  const known = header?.replaceAll(/(?<![^\s,])x-gzip(?![^\s,;])/gi, 'gzip');
  const negotiator = new Negotiator({ headers: { 'accept-encoding': known } }) as unknown as Preferring;
  const order = negotiator.encodings(encodings, { preferred: encodings });
  const name = order.join();
  let preference = preferences.get(name);
  if (!preference) preferences.set(name, (preference = { order }));
  return preference;
});

/** The tag of the same version in another encoding: `If-Match` takes any of them for the version. */
export function tagOf({ etag }: Pick<Representation, 'etag'>, encoding: Encoding): string {
  return encoding === 'identity' ? etag : `${etag.slice(0, -1)}-${encoding}"`;
}
