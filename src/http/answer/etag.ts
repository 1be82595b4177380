import { createHash } from 'node:crypto';

/** A strong entity tag (RFC 9110, 8.8.3): the SHA-256 of exactly these bytes, 132 bits of it, in quotes. */
export function etagOf(body: string): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
}

/** A value as it is sent: its JSON text and the tag of that text. Equal values in equal field order have equal tags. */
export interface Representation {
  readonly body: string;
  readonly etag: string;
}

export function representationOf(value: unknown): Representation {
  const body = JSON.stringify(value);
  return { body, etag: etagOf(body) };
}
