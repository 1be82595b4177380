import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Clock } from '../../cache/index.js';

/** How long a sign-in lasts, in seconds: a working day. */
export const sessionSeconds = 8 * 60 * 60;

const shape = /^(\d{1,16})\.([\w-]{16})\.([\w-]{43})$/;

/**
 * The one admin token, and sessions that are made from it. A session is `expiry.nonce.signature`, signed with a key that
 * is derived from the token: every node that has the token knows it, none stores it, and it ends with its time or with
 * the token. Everything secret is compared in constant time.
 */
export class Credentials {
  readonly #token: Buffer;
  readonly #key: Buffer;

  constructor(
    token: string,
    private readonly clock: Clock,
  ) {
    this.#token = digest(token);
    this.#key = createHmac('sha256', token).update('strata admin session').digest();
  }

  /** Whether this is the token. Digests have one length, so not even the length of the token can be measured. */
  accepts(token: string): boolean {
    return timingSafeEqual(digest(token), this.#token);
  }

  /** A new session, from now on. */
  openSession(): string {
    const claim = `${this.clock.wallMs() + sessionSeconds * 1000}.${randomBytes(12).toString('base64url')}`;
    return `${claim}.${this.#sign(claim)}`;
  }

  acceptsSession(session: string): boolean {
    const [, expiry = '', nonce = '', signature = ''] = shape.exec(session) ?? [];
    const signed = timingSafeEqual(digest(signature), digest(this.#sign(`${expiry}.${nonce}`)));
    return signed && Number(expiry) > this.clock.wallMs();
  }

  #sign(claim: string): string {
    return createHmac('sha256', this.#key).update(claim).digest('base64url');
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
