import { IsIn, IsInt, IsOptional, IsString, IsUrl, Max, MaxLength, Min, MinLength } from 'class-validator';
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

  @Setting('REDIS_URL', {
    defaultText: 'provided by `npm start`',
    doc: '`redis://…` or `rediss://…`; without it nothing is cached: degraded',
    secret: true,
  })
  @IsOptional()
  @IsUrl(redisUrl, { message: 'must be a redis:// or rediss:// URL' })
  readonly redisUrl?: string;

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
