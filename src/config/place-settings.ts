import { IsIn, IsInt, IsOptional, IsString, Max, Matches, MaxLength, Min, MinLength } from 'class-validator';
import { Setting } from './setting.decorator.js';
import { IsPostgresUrl, IsRedisUrl } from './url.rules.js';

const notPem = { message: 'must be a PEM file that can be read' };

/** Where the service stands: its address, what it reaches, and who may command it. */
export class PlaceSettings {
  @Setting('NODE_ENV', { default: 'development', doc: '`production`, `development` or `test`' })
  @IsIn(['development', 'production', 'test'])
  readonly nodeEnv!: 'development' | 'production' | 'test';

  @Setting('PORT', { as: 'number', default: 3000, doc: 'port to listen on; 0 takes a free one' })
  @IsInt()
  @Min(0)
  @Max(65_535)
  readonly port!: number;

  @Setting('HOST', { default: '127.0.0.1', doc: 'address to listen on (0.0.0.0 in the image)' })
  @IsString()
  readonly host!: string;

  @Setting('MAX_CONNECTIONS', {
    as: 'number',
    default: 10_000,
    doc: 'client connections; beyond this, the oldest idle connection of the address with the most connections is closed',
  })
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  readonly maxConnections!: number;

  @Setting('WEB_CONCURRENCY', {
    as: 'number',
    default: 1,
    doc: 'processes on that port, each a full node with its own connections, L1 and limits',
  })
  @IsInt()
  @Min(1)
  @Max(256)
  readonly webConcurrency!: number;

  @Setting('DATABASE_URL', { defaultText: 'provided by `npm start`', doc: '`postgres://…`', secret: true })
  @IsPostgresUrl()
  readonly databaseUrl!: string;

  @Setting('DATABASE_DIRECT_URL', {
    defaultText: '`DATABASE_URL`',
    doc: 'direct URL that bypasses a pooler such as PgBouncer: for the change feed and for migrations',
    secret: true,
  })
  @IsOptional()
  @IsPostgresUrl()
  readonly databaseDirectUrl?: string;

  @Setting('REDIS_URL', {
    defaultText: 'provided by `npm start`',
    doc: '`redis://…` or `rediss://…`; without it the service runs degraded and caches nothing',
    secret: true,
  })
  @IsOptional()
  @IsRedisUrl()
  readonly redisUrl?: string;

  @Setting('REDIS_TLS_CA', {
    as: 'file',
    defaultText: "Node.js' own list",
    doc: 'PEM file of the authority that signed the certificate of a `rediss://` server',
  })
  @IsOptional()
  @Matches(/^-----BEGIN /m, notPem)
  readonly redisTlsCa?: string;

  @Setting('REDIS_TLS_CERT', {
    as: 'file',
    defaultText: 'none',
    doc: 'PEM file of the client certificate for a `rediss://` server',
  })
  @IsOptional()
  @Matches(/^-----BEGIN /m, notPem)
  readonly redisTlsCert?: string;

  @Setting('REDIS_TLS_KEY', {
    as: 'file',
    defaultText: 'none',
    doc: 'PEM file of the private key of `REDIS_TLS_CERT`',
    secret: true,
  })
  @IsOptional()
  @Matches(/^-----BEGIN /m, notPem)
  readonly redisTlsKey?: string;

  @Setting('CACHE_NAMESPACE', {
    defaultText: "derived from the database's identity",
    doc:
      'prefix of keys and channels in Redis, 1-32 of `a-z0-9-`: services that share a Redis server do not meet; the same ' +
      'on every node of a service',
  })
  @IsOptional()
  @Matches(/^[a-z0-9-]{1,32}$/, { message: 'must be 1 to 32 of a-z, 0-9 and -' })
  readonly cacheNamespace?: string;

  @Setting('ADMIN_TOKEN', {
    defaultText: 'none: admin routes answer 404 (`npm start` prints a random one)',
    doc: 'bearer token of the admin routes, at least 16 characters',
    secret: true,
  })
  @IsOptional()
  @MinLength(16)
  @MaxLength(512)
  readonly adminToken?: string;
}
