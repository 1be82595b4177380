import { Controller, Get, Injectable, type OnModuleInit, Param, Query } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  CacheResponse,
  Inspectable,
  Inspectables,
  type KeyedRequest,
  type Loaded,
  loadProof,
  queryTags,
  ReadThrough,
  rowAddress,
  rowTags,
  type Subject,
} from '../../src/cache/index.js';
import { notFound, Produces, QueryNames } from '../../src/http/index.js';
import { boxes, type Kind, kindOf, parts, type RowView } from './entities.js';

/** Rows and lists of every kind, through the cache. */
@Injectable()
export class Records {
  constructor(
    private readonly cache: ReadThrough,
    private readonly dataSource: DataSource,
  ) {}

  find(kind: Kind, id: string): Promise<RowView | null> {
    return this.cache.row(kind.entity, id, () => this.load(kind, id));
  }

  list(kind: Kind, category: string | undefined): Promise<RowView[]> {
    const tags = queryTags(kind.entity, category === undefined ? {} : { category });
    const where = category === undefined ? 'true' : `${kind.column} = $1`;
    return this.cache.query(kind.entity, `category=${category ?? '*'}`, tags, () =>
      this.#select(kind, where, category === undefined ? [] : [category]),
    );
  }

  async load(kind: Kind, id: string): Promise<Loaded<RowView | null>> {
    const { value, proof } = await this.#select(kind, 'id = $1', [id]);
    return { value: value[0] ?? null, proof };
  }

  async #select({ entity, column }: Kind, where: string, values: unknown[]): Promise<Loaded<RowView[]>> {
    const columns = `'${entity}:' || id AS key, version, name, ${column}::text AS category`;
    const sql = `SELECT ${loadProof} AS proof,
      (SELECT coalesce(json_agg(r), '[]') FROM (SELECT ${columns} FROM ${entity} WHERE ${where} ORDER BY id) r) AS value`;
    const [loaded] = await this.dataSource.query<[Loaded<RowView[]>]>(sql, values);
    return loaded;
  }
}

/** The kind and id that a path names, if there can be such a row. */
function named(entity: unknown, id: unknown): readonly [Kind, string] | undefined {
  const kind = kindOf(String(entity));
  return kind?.id.test(String(id)) ? [kind, String(id)] : undefined;
}

const rowKey = ({ params }: KeyedRequest) =>
  named(params['entity'], params['id']) && `/verify/${String(params['entity'])}/${String(params['id'])}`;
const contentsKey = ({ params }: KeyedRequest) =>
  named('boxes', params['id']) && `/verify/boxes/${String(params['id'])}/contents`;
/** The category that a query names; `*` for a list of everything, undefined for what is no category. */
const categoryIn = (category: unknown): string | undefined => {
  if (category === undefined) return '*';
  return typeof category === 'string' && /^[a-z0-9]{1,32}$/.test(category) ? category : undefined;
};
const listKey = ({ params, query }: KeyedRequest) => {
  const category = categoryIn(query['category']);
  const kind = kindOf(String(params['entity']));
  return kind && category !== undefined ? `/verify/${kind.entity}?category=${category}` : undefined;
};

@Controller('verify')
@Produces('application/json')
@QueryNames()
export class ReadsController {
  constructor(private readonly records: Records) {}

  /** A parent and its children: two reads of the cache in one answer. */
  @Get('boxes/:id/contents')
  @CacheResponse({ key: contentsKey, reads: 'entities' })
  async contents(@Param('id') id: string): Promise<RowView & { readonly data: readonly RowView[] }> {
    const box = await this.find(boxes.entity, id);
    return { ...box, data: await this.records.list(parts as unknown as Kind, id) };
  }

  @Get(':entity/:id')
  @CacheResponse({ key: rowKey, reads: 'entities' })
  async find(@Param('entity') entity: string, @Param('id') id: string): Promise<RowView> {
    const [kind] = named(entity, id) ?? [];
    const row = kind && (await this.records.find(kind, id));
    if (!row) throw notFound('There is no such row.');
    return row;
  }

  @Get(':entity')
  @QueryNames('category')
  @CacheResponse({ key: listKey, reads: 'entities' })
  async list(
    @Param('entity') entity: string,
    @Query('category') category: string | undefined,
  ): Promise<{ readonly data: readonly RowView[] }> {
    const kind = kindOf(entity);
    if (!kind || categoryIn(category) === undefined) throw notFound('There is no such list.');
    return { data: await this.records.list(kind, category) };
  }
}

/** Lets `GET /admin/cache/entries?key=documents:…` find a row. */
@Injectable()
export class RecordsInspectable extends Inspectable implements OnModuleInit {
  constructor(
    private readonly records: Records,
    private readonly all: Inspectables,
  ) {
    super();
  }

  onModuleInit(): void {
    this.all.add(this);
  }

  override subjectOf(key: string): Subject | undefined {
    const [, entity = '', id = ''] = /^(\w+):(.+)$/.exec(key) ?? [];
    const [kind] = named(entity, id) ?? [];
    if (!kind) return undefined;
    return {
      entity,
      path: `/verify/${entity}/${id}`,
      address: rowAddress(entity, id),
      tag: rowTags(entity, id).tag,
      current: async () => {
        const { value } = await this.records.load(kind, id);
        return value && { version: value.version, changedAtMs: 0, lists: [] };
      },
    };
  }

  override changedLately(): Promise<string[]> {
    return Promise.resolve([]);
  }
}
