import { isIP } from 'node:net';
import { type Settings } from './settings.js';

/** Where Redis is, in the words of no client: each reads URLs in its own way. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  /** The number of the database. */
  readonly database: number;
  /** PEM texts; undefined: no TLS. */
  readonly tls?: {
    readonly servername?: string;
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    /** Keeps a listener for errors on the socket; it is never aborted. */
    readonly signal: AbortSignal;
  };
}

export type RedisCertificates = Pick<Settings, 'redisTlsCa' | 'redisTlsCert' | 'redisTlsKey'>;

export function redisAddress(url: string, certificates: RedisCertificates = {}): RedisAddress {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  const { redisTlsCa: ca, redisTlsCert: cert, redisTlsKey: key } = certificates;
  const host = hostname.replace(/^\[|\]$/g, '');
  const servername = isIP(host) === 0 && { servername: host };
  return {
    host,
    port: Number(port || 6379),
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    database: Number(pathname.slice(1)),
    // A TLS socket can report two errors, and both Redis clients listen for one: the second would end the process. Node listens
    // for the errors of a socket with a signal as long as the socket exists.
    ...(protocol === 'rediss:' && {
      tls: {
        signal: new AbortController().signal,
        ...servername,
        ...(ca && { ca }),
        ...(cert && { cert }),
        ...(key && { key }),
      },
    }),
  };
}
