import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Length } from 'class-validator';
import {
  CacheInspector,
  EntityRules,
  entityOf,
  Inspectables,
  isTag,
  RedisConnection,
  type Subject,
  valuesEntity,
} from '../cache/index.js';
import { badRequest, type FieldError, Produces, QueryNames, Unlimited } from '../http/index.js';
import { Invalidator, PolicyRegistry } from '../invalidation/index.js';
import { AdminChange, AdminRoute, ofRedis } from './admin.docs.js';
import { CacheStats } from './cache-stats.service.js';
import { CacheStatsView } from './dto/cache-stats.js';
import { EntryReportView, viewOfReport } from './dto/entry-report.js';
import { ClearedView, InvalidationInput, InvalidationView } from './dto/invalidation.js';

export class EntryQuery {
  @ApiProperty({ description: 'tag of a row, tag of a list, or a path with its query', example: 'items:42' })
  @Length(1, 300)
  key!: string;
}

const notValid = { 400: 'not valid; `errors` names each field' };

/** Looks into the cache of this node and the one that all share, and takes things out of both. */
@ApiTags('admin')
@Unlimited('load')
@Controller('admin/cache')
@Produces('application/json')
@QueryNames()
export class CacheController {
  constructor(
    private readonly statistics: CacheStats,
    private readonly inspectables: Inspectables,
    private readonly inspector: CacheInspector,
    private readonly rules: EntityRules,
    private readonly registry: PolicyRegistry,
    private readonly invalidator: Invalidator,
    private readonly connection: RedisConnection,
  ) {}

  @Get('stats')
  @AdminRoute(
    'Statistics',
    'What this node has counted since it began, and how its levels are; with several workers, all of them.',
  )
  @ApiResponse({ status: 200, type: CacheStatsView, description: 'of this node' })
  stats(): Promise<CacheStatsView> {
    return this.statistics.total();
  }

  @Get('entries')
  @QueryNames('key')
  @AdminRoute('Where is it?', 'Where something is kept, and which version. Looking changes nothing.', {
    ...notValid,
    503: 'the database does not answer',
  })
  @ApiResponse({ status: 200, type: EntryReportView, description: 'at each layer and level' })
  async entries(@Query() { key }: EntryQuery): Promise<EntryReportView> {
    const subject = this.#subject(key, { in: 'query', field: 'key' });
    const { entity, path, tag } = subject;
    const [report, row] = await Promise.all([this.inspector.look(subject), subject.current?.()]);
    return {
      key: path,
      entity,
      policy: this.registry.policyOf(entity),
      ...(row !== undefined && { database: { version: row?.version ?? null } }),
      ...viewOfReport(report),
      dependents: this.inspector.dependents([tag, ...(row?.lists ?? [])]),
    };
  }

  @Post('invalidate')
  @HttpCode(200)
  @AdminChange('Invalidate', 'On every node, before the answer on this one.', { ...notValid, ...ofRedis })
  @ApiResponse({ status: 200, type: InvalidationView, description: 'what is not served any more' })
  async invalidate(@Body() input: InvalidationInput): Promise<InvalidationView> {
    const given = input.tags ?? [];
    for (const tag of given) this.#assertKnown(tag);
    const named = (input.keys ?? []).map((key) => this.#subject(key, { in: 'body', field: 'keys' }).tag);
    const tags = [...new Set([...given, ...named])];
    if (tags.length === 0) throw badRequest({ in: 'body', field: 'tags', message: 'is required, or keys' });
    await this.invalidator.onDemand(tags);
    return { tags };
  }

  @Post('clear')
  @HttpCode(200)
  @AdminChange('Clear', 'Everything, on every node: a new generation begins. The database is not touched.', ofRedis)
  @ApiResponse({ status: 200, type: ClearedView, description: 'nothing that was kept is reachable any more' })
  async clear(): Promise<ClearedView> {
    await this.invalidator.clear();
    return { generation: this.connection.gen };
  }

  /** @throws 400 */
  #subject(key: string, place: Pick<FieldError, 'in' | 'field'>): Subject {
    const subject = this.inspectables.subjectOf(key);
    if (subject) return subject;
    throw badRequest({ ...place, message: `names nothing that is cached: ${JSON.stringify(key.slice(0, 64))}` });
  }

  /** A tag that nothing can depend on is a typing error. @throws 400 */
  #assertKnown(tag: string): void {
    if (isTag(tag) && (this.rules.named(entityOf(tag)) || entityOf(tag) === valuesEntity)) return;
    const message = `names no cached entity: ${JSON.stringify(tag.slice(0, 64))}`;
    throw badRequest({ in: 'body', field: 'tags', message });
  }
}
