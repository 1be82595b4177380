import { IsBoolean, IsIn, IsInt, IsNumber, IsOptional, IsUrl, Max, Min } from 'class-validator';
import { defaultPolicy, type PolicyName, policyNames } from '../policies/index.js';
import { IsScheduleOrOff } from './cron.rule.js';
import { PlaceSettings } from './place-settings.js';
import { Setting } from './setting.decorator.js';

/** The whole configuration: read once at boot, total, immutable. Durations are in milliseconds and say so. */
export class Settings extends PlaceSettings {
  @Setting('CACHE_POLICY', { default: defaultPolicy, doc: 'initial policy of every entity' })
  @IsIn(policyNames)
  readonly cachePolicy!: PolicyName;

  @Setting('ITEMS_CACHE_POLICY', { defaultText: '`CACHE_POLICY`', doc: 'initial policy of items' })
  @IsOptional()
  @IsIn(policyNames)
  readonly itemsCachePolicy?: PolicyName;

  @Setting('CACHE_TTL_MS', { as: 'number', default: 60_000, doc: 'how long an entry is fresh' })
  @IsInt()
  @Min(1)
  @Max(86_400_000)
  readonly cacheTtlMs!: number;

  @Setting('CACHE_TTL_JITTER', { as: 'number', default: 0.1, doc: 'spread of the TTL: 0.1 means ± 10 %' })
  @IsNumber()
  @Min(0)
  @Max(0.9)
  readonly cacheTtlJitter!: number;

  @Setting('CACHE_STALE_MS', {
    as: 'number',
    default: 300_000,
    doc: 'how long past freshness a verified value may still be served (never under `strict`)',
  })
  @IsInt()
  @Min(0)
  @Max(86_400_000)
  readonly cacheStaleMs!: number;

  @Setting('CACHE_L1_MAX_BYTES', {
    as: 'number',
    default: 67_108_864,
    doc: 'size limit of the in-process level, in bytes',
  })
  @IsInt()
  @Min(1_024)
  readonly cacheL1MaxBytes!: number;

  @Setting('CACHE_L2_MAX_VALUE_BYTES', {
    as: 'number',
    default: 4_194_304,
    doc: 'largest value that is stored in Redis, in bytes: Redis answers no other command while it transfers a value',
  })
  @IsInt()
  @Min(1_024)
  @Max(536_870_912)
  readonly cacheL2MaxValueBytes!: number;

  @Setting('CACHE_L1_LEASE_MS', {
    as: 'number',
    default: 1_000,
    doc: 'how long the in-process level may serve without renewing its lease, which proves that no invalidation was missed',
  })
  @IsInt()
  @Min(40)
  @Max(60_000)
  readonly cacheL1LeaseMs!: number;

  @Setting('CACHE_L1_STRICT', {
    default: 'bypass',
    doc:
      'the in-process level under `strict`: `bypass`, or `acknowledged` (writers wait until every node has dropped what ' +
      'they change); the same on every node',
  })
  @IsIn(['bypass', 'acknowledged'])
  readonly cacheL1Strict!: 'bypass' | 'acknowledged';

  @Setting('CACHE_API', { as: 'switch', default: true, doc: 'the api layer (whole responses): `on` or `off`' })
  @IsBoolean({ message: 'must be on or off' })
  readonly cacheApi!: boolean;

  @Setting('CACHE_DB', { as: 'switch', default: true, doc: 'the db layer (rows and queries): `on` or `off`' })
  @IsBoolean({ message: 'must be on or off' })
  readonly cacheDb!: boolean;

  @Setting('CACHE_L1', { as: 'switch', default: true, doc: 'the in-process level: `on` or `off`' })
  @IsBoolean({ message: 'must be on or off' })
  readonly cacheL1!: boolean;

  @Setting('CACHE_L2', { as: 'switch', default: true, doc: 'the Redis level: `on` or `off`; the same on every node' })
  @IsBoolean({ message: 'must be on or off' })
  readonly cacheL2!: boolean;

  @Setting('CACHE_FAST_LANE', {
    as: 'switch',
    default: true,
    doc: 'answers hits of the api layer in L1 before Nest is entered: `on` or `off`',
  })
  @IsBoolean({ message: 'must be on or off' })
  readonly cacheFastLane!: boolean;

  @Setting('CACHE_FEED', {
    as: 'switch',
    default: true,
    doc: 'the change feed, which sees SQL from elsewhere (needs `wal_level=logical`): `on` or `off`',
  })
  @IsBoolean({ message: 'must be on or off' })
  readonly cacheFeed!: boolean;

  @Setting('REDIS_TIMEOUT_MS', {
    as: 'number',
    default: 100,
    doc: 'deadline of one Redis command; after three missed deadlines in a row the connection is closed',
  })
  @IsInt()
  @Min(1)
  @Max(60_000)
  readonly redisTimeoutMs!: number;

  @Setting('DATABASE_TIMEOUT_MS', { as: 'number', default: 2_000, doc: 'deadline of one SQL statement' })
  @IsInt()
  @Min(1)
  @Max(600_000)
  readonly databaseTimeoutMs!: number;

  @Setting('REQUEST_TIMEOUT_MS', { as: 'number', default: 5_000, doc: 'deadline of one HTTP request' })
  @IsInt()
  @Min(1)
  @Max(600_000)
  readonly requestTimeoutMs!: number;

  @Setting('DATABASE_POOL_SIZE', { as: 'number', default: 10, doc: 'connections to PostgreSQL' })
  @IsInt()
  @Min(1)
  @Max(1_000)
  readonly databasePoolSize!: number;

  @Setting('DATABASE_QUEUE_SIZE', {
    as: 'number',
    default: 200,
    doc: 'requests that may queue for a connection; further ones get 503 at once',
  })
  @IsInt()
  @Min(0)
  @Max(100_000)
  readonly databaseQueueSize!: number;

  @Setting('RATE_LIMIT_PER_MINUTE', {
    as: 'number',
    default: 0,
    doc: 'requests per minute and client address; further ones get 429; 0: no limit',
  })
  @IsInt()
  @Min(0)
  @Max(10_000_000)
  readonly rateLimitPerMinute!: number;

  @Setting('WARM_AT_BOOT', {
    default: 'off',
    doc: 'strategy to warm before the node reports ready: `off`, `recent`, `lists` or `all`',
  })
  @IsIn(['off', 'recent', 'lists', 'all'])
  readonly warmAtBoot!: 'off' | 'recent' | 'lists' | 'all';

  @Setting('WARM_AT_BOOT_TIMEOUT_MS', {
    as: 'number',
    default: 10_000,
    doc: 'how long boot warming may delay readiness',
  })
  @IsInt()
  @Min(1)
  @Max(600_000)
  readonly warmAtBootTimeoutMs!: number;

  @Setting('WARM_SCHEDULE', {
    default: '*/15 * * * *',
    doc: 'cron expression of the repeatable warming job (one per cluster); `off` for none',
  })
  @IsScheduleOrOff()
  readonly warmSchedule!: string;

  @Setting('WARM_AFTER_FLUSH', {
    default: 'recent',
    doc: 'strategy to warm after Redis has lost its data: `off`, `recent`, `lists` or `all`',
  })
  @IsIn(['off', 'recent', 'lists', 'all'])
  readonly warmAfterFlush!: 'off' | 'recent' | 'lists' | 'all';

  @Setting('INSPECT_EVERY_MS', {
    as: 'number',
    default: 15_000,
    doc: 'how often each node compares a sample of its cached values with the database; 0: never',
  })
  @IsInt()
  @Min(0)
  @Max(86_400_000)
  readonly inspectEveryMs!: number;

  @Setting('LOG_LEVEL', { default: 'info', doc: '`fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`' })
  @IsIn(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
  readonly logLevel!: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

  @Setting('OTEL_TRACES_EXPORTER', {
    defaultText: '`otlp` where there is an endpoint',
    doc: '`otlp` sends traces (OpenTelemetry, OTLP over HTTP), `none` does not; all other `OTEL_…` names are its own',
  })
  @IsOptional()
  @IsIn(['otlp', 'none'])
  readonly otelTracesExporter?: 'otlp' | 'none';

  @Setting('OTEL_EXPORTER_OTLP_ENDPOINT', {
    defaultText: 'none: no traces',
    doc: 'where traces are sent: `http://…:4318`',
  })
  @IsOptional()
  @IsUrl({ protocols: ['http', 'https'], require_tld: false, require_protocol: true })
  readonly otelExporterOtlpEndpoint?: string;

  /** Whether traces are wanted. */
  get traces(): boolean {
    const { otelTracesExporter: exporter, otelExporterOtlpEndpoint: endpoint } = this;
    return exporter === undefined ? endpoint !== undefined : exporter === 'otlp';
  }

  @Setting('DRAIN_DELAY_MS', {
    as: 'number',
    default: 0,
    doc: 'how long readiness answers 503 before the server stops accepting connections (5000 in the image)',
  })
  @IsInt()
  @Min(0)
  @Max(600_000)
  readonly drainDelayMs!: number;

  @Setting('DRAIN_TIMEOUT_MS', {
    as: 'number',
    default: 10_000,
    doc: 'how long running requests may take to finish at shutdown',
  })
  @IsInt()
  @Min(0)
  @Max(600_000)
  readonly drainTimeoutMs!: number;
}
