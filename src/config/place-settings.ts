import { IsIn, IsInt, IsOptional, IsString, IsUrl, Max, Matches, MaxLength, Min, MinLength } from 'class-validator';
import { Setting } from './setting.decorator.js';

const postgresUrl = { protocols: ['postgres', 'postgresql'], require_tld: false, require_protocol: true };
const redisUrl = { protocols: ['redis', 'rediss'], require_tld: false, require_protocol: true };

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
    doc: 'open connections of clients; beyond it, the address with the most of them loses its oldest idle one',
  })
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  readonly maxConnections!: number;

  @Setting('WEB_CONCURRENCY', {
    as: 'number',
    default: 1,
    doc: 'processes on that port, each a full node: connections, L1 and limits are those of one',
  })
  @IsInt()
  @Min(1)
  @Max(256)
  readonly webConcurrency!: number;

  @Setting('DATABASE_URL', { defaultText: 'provided by `npm start`', doc: '`postgres://…`', secret: true })
  @IsUrl(postgresUrl, { message: 'must be a postgres:// URL' })
  readonly databaseUrl!: string;

  @Setting('DATABASE_DIRECT_URL', {
    defaultText: '`DATABASE_URL`',
    doc: 'past a pooler such as PgBouncer: for the change feed and for migrations',
    secret: true,
  })
  @IsOptional()
  @IsUrl(postgresUrl, { message: 'must be a postgres:// URL' })
  readonly databaseDirectUrl?: string;

  @Setting('REDIS_URL', {
    defaultText: 'provided by `npm start`',
    doc: '`redis://…` or `rediss://…`; without it nothing is cached: degraded',
    secret: true,
  })
  @IsOptional()
  @IsUrl(redisUrl, { message: 'must be a redis:// or rediss:// URL' })
  readonly redisUrl?: string;

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
