import { ValidateBy, type ValidationArguments } from 'class-validator';

/** @param faultIn undefined where there is none */
const rule = (name: string, faultIn: (value: string) => string | undefined) => (): PropertyDecorator =>
  ValidateBy({
    name,
    validator: {
      validate: (value: unknown) => typeof value === 'string' && faultIn(value) === undefined,
      defaultMessage: (of?: ValidationArguments) => faultIn(String(of?.value)) ?? '',
    },
  });

/** The message says what to do where the URL is one of those that others understand. */
export const IsRedisUrl = rule('isRedisUrl', (text) => {
  if (/^(?:unix|redis\+unix|redis-socket|rediss?\+socket):|^\//i.test(text))
    return 'must be a redis:// or rediss:// URL: Unix sockets are not supported, let Redis listen on 127.0.0.1';
  if (/sentinel/i.test(text.slice(0, text.indexOf('://') + 1)))
    return 'must be a redis:// or rediss:// URL: Sentinel is not supported, use an address that leads to the primary';
  if (hasSeveralHosts(text)) return 'must name one server: use an address that leads to the primary';
  const { protocol, hostname, pathname, search, hash } = parsed(text);
  if (!/^rediss?:$/.test(protocol) || hostname === '') return 'must be a redis:// or rediss:// URL';
  if (!/^\/?\d{0,5}$/.test(pathname)) return 'must have nothing but the number of a database as its path';
  if (search !== '' || hash !== '')
    return 'must have no query: certificates are REDIS_TLS_CA, REDIS_TLS_CERT, REDIS_TLS_KEY';
  return undefined;
});

export const IsPostgresUrl = rule('isPostgresUrl', (text) => {
  if (/[?&]host=/i.test(text) || /^postgres(?:ql)?:\/\/(?:[^/?]*@)?(?:[/?]|$)/i.test(text))
    return 'must name a host: Unix sockets are not supported, let PostgreSQL listen on 127.0.0.1';
  if (hasSeveralHosts(text)) return 'must name one host: use an address that leads to the primary';
  const { protocol, hostname } = parsed(text);
  return /^postgres(?:ql)?:$/.test(protocol) && hostname !== '' ? undefined : 'must be a postgres:// URL';
});

const hasSeveralHosts = (text: string): boolean => /^[a-z+]+:\/\/(?:[^/?]*@)?[^@/?]*,/i.test(text);

const parsed = (text: string): Pick<URL, 'protocol' | 'hostname' | 'pathname' | 'search' | 'hash'> =>
  URL.canParse(text) ? new URL(text) : { protocol: '', hostname: '', pathname: '', search: '', hash: '' };
