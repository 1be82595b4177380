import { ApiProperty } from '@nestjs/swagger';
import { type BreakerState, type InvalidationSource, type RequestCounts } from '../../cache/index.js';
import { type PolicyName, policyNames } from '../../policies/index.js';

export class LoadStats {
  @ApiProperty({ type: 'integer', description: 'from the database' })
  count!: number;

  @ApiProperty({ type: Number, description: 'spent on them' })
  seconds!: number;

  @ApiProperty({ type: 'integer', description: 'reads that shared the load of another one' })
  joined!: number;
}

export class L1Stats {
  @ApiProperty({ description: '`CACHE_L1`' })
  enabled!: boolean;

  @ApiProperty({ type: 'integer' })
  bytes!: number;

  @ApiProperty({ type: 'integer', description: '`CACHE_L1_MAX_BYTES`' })
  maxBytes!: number;

  @ApiProperty({ type: 'integer' })
  entries!: number;

  @ApiProperty({ description: 'without a lease nothing is served from here' })
  leaseValid!: boolean;
}

export class L2Stats {
  @ApiProperty({ description: '`CACHE_L2`' })
  enabled!: boolean;

  @ApiProperty({ enum: ['closed', 'half-open', 'open'], description: 'closed: Redis is used' })
  breaker!: BreakerState;

  @ApiProperty({ type: String, nullable: true, description: 'everything that is kept belongs to it' })
  generation!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'what the names of its keys and channels begin with' })
  namespace!: string | null;
}

export class JournalStats {
  @ApiProperty({ type: 'integer', description: 'invalidations that wait for Redis to come back' })
  entries!: number;
}

const counts = (properties: readonly string[], inner: object) => ({
  type: 'object' as const,
  properties: Object.fromEntries(properties.map((name) => [name, inner])),
});
const integer = { type: 'integer' };
const requests = counts(
  ['api', 'db'],
  counts(['l1', 'l2'], counts(['hit', 'miss', 'stale', 'bypass', 'refused'], integer)),
);

/** How the cache of this node is doing. Counters begin at 0 when the process does. */
export class CacheStatsView {
  @ApiProperty({
    type: [String],
    description:
      'with `WEB_CONCURRENCY`, the workers whose numbers these are, added up; a state is the worst of theirs',
  })
  workers!: readonly string[];

  @ApiProperty({ ...requests, description: 'per layer and level' })
  requests!: RequestCounts;

  @ApiProperty({ type: LoadStats })
  loads!: LoadStats;

  @ApiProperty({ ...counts(['write', 'feed', 'admin', 'journal'], integer), description: 'by source' })
  invalidations!: Readonly<Record<InvalidationSource, number>>;

  @ApiProperty({ type: L1Stats })
  l1!: L1Stats;

  @ApiProperty({ type: L2Stats })
  l2!: L2Stats;

  @ApiProperty({ type: JournalStats })
  journal!: JournalStats;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'string', enum: [...policyNames] } })
  policies!: Readonly<Record<string, PolicyName>>;
}
