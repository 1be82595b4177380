import { ApiExtraModels, ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  type Dependents,
  deserialise,
  type KeptEntry,
  type Layer,
  type LevelState,
  type EntryReport,
  type TagReport,
  versionIn,
} from '../../cache/index.js';
import { type PolicyName, policyNames } from '../../policies/index.js';
import { etagOf } from '../../http/index.js';

/** What one level keeps of one entry. */
export class LevelStateView {
  @ApiProperty({ description: 'whether the level could be asked' })
  available!: boolean;

  @ApiPropertyOptional({ enum: ['redis', 'no-epoch', 'lease', 'disabled'], description: 'why it could not' })
  reason?: string;

  @ApiPropertyOptional({ description: 'whether it keeps the entry' })
  present?: boolean;

  @ApiPropertyOptional({
    description: 'L2: stamps hold, no writer pending; L1: under a running lease. If not: not served',
  })
  valid?: boolean;

  @ApiPropertyOptional({ type: 'integer', description: 'negative: stale' })
  freshMs?: number;

  @ApiPropertyOptional({ type: 'integer', description: 'until it is dropped' })
  keptMs?: number;

  @ApiPropertyOptional({ type: 'integer', nullable: true, description: 'of a row; null: known to be absent' })
  version?: number | null;

  @ApiPropertyOptional({ example: '"q2xlBT0Zc5m8Hn1uYd3KaA"' })
  etag?: string;

  @ApiPropertyOptional({ enum: ['l2', 'here'], description: 'L1: copied from Redis, or made by this node' })
  from?: 'l2' | 'here';

  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' }, description: 'it was made under' })
  stamps?: Readonly<Record<string, string>>;
}

export class LayerView {
  @ApiProperty({ type: LevelStateView })
  l1!: LevelStateView;

  @ApiProperty({ type: LevelStateView })
  l2!: LevelStateView;
}

export class TagView {
  @ApiProperty({ example: 'items:42' })
  tag!: string;

  @ApiProperty({ type: String, nullable: true, description: 'null: unknown, nothing under it is served' })
  stamp!: string | null;

  @ApiProperty({ type: [String], description: 'transactions that may still be committing' })
  pending!: readonly string[];
}

export class DatabaseView {
  @ApiProperty({ type: 'integer', nullable: true, description: 'null: there is no such row' })
  version!: number | null;
}

export class DependentsView implements Dependents {
  @ApiProperty({ example: 'items?category=tools' })
  tag!: string;

  @ApiProperty({ type: 'integer' })
  count!: number;

  @ApiProperty({ type: [String], description: 'of some of them, as this node keeps them', example: ['row items:42'] })
  keys!: readonly string[];
}

export class LayersView implements Record<Layer, LayerView> {
  @ApiProperty({ type: LayerView })
  api!: LayerView;

  @ApiProperty({ type: LayerView })
  db!: LayerView;
}

/** Where something is, and which version of it, from the nearest level to the database. */
@ApiExtraModels(LevelStateView, LayerView)
export class EntryReportView {
  @ApiProperty({ description: 'canonical', example: '/items/42' })
  key!: string;

  @ApiProperty({ example: 'items' })
  entity!: string;

  @ApiProperty({ enum: policyNames })
  policy!: PolicyName;

  @ApiPropertyOptional({ type: DatabaseView, description: 'of rows' })
  database?: DatabaseView;

  @ApiProperty({ type: LayersView })
  layers!: LayersView;

  @ApiProperty({ type: [TagView], nullable: true, description: 'as they are now; null while Redis does not answer' })
  tags!: TagView[] | null;

  @ApiProperty({
    type: [DependentsView],
    description: 'what a change of it takes out of the memory of this node, by tag; of a row, its lists too',
  })
  dependents!: readonly DependentsView[];
}

export function viewOfReport({ layers: { api, db }, tags }: EntryReport): Pick<EntryReportView, 'layers' | 'tags'> {
  return {
    layers: {
      api: { l1: withOrigin(api.l1, ofResponse), l2: viewOfLevel(api.l2, ofResponse) },
      db: { l1: withOrigin(db.l1, ofValue), l2: viewOfLevel(db.l2, ofValue) },
    },
    tags: tags?.map(viewOfTag) ?? null,
  };
}

const viewOfTag = ({ tag, stamp, pending }: TagReport): TagView => ({ tag, stamp: stamp ?? null, pending });

type Describe = (body: string) => Pick<LevelStateView, 'etag' | 'version'>;

function viewOfLevel(place: LevelState, describe: Describe): LevelStateView {
  if ('unavailable' in place) return { available: false, reason: place.unavailable };
  return place.entry ? viewOfEntry(place.entry, describe) : { available: true, present: false };
}

/** Of L1, which knows how it came by what it has. */
function withOrigin(place: LevelState, describe: Describe): LevelStateView {
  const view = viewOfLevel(place, describe);
  return 'entry' in place && place.entry ? { ...view, from: place.entry.from === 'l2' ? 'l2' : 'here' } : view;
}

function viewOfEntry({ body, dependencies, freshMs, keepMs, valid }: KeptEntry, describe: Describe): LevelStateView {
  return {
    available: true,
    present: true,
    valid,
    freshMs: Math.round(freshMs),
    keptMs: Math.round(keepMs),
    ...describe(body),
    stamps: Object.fromEntries(dependencies.map(({ tag, stamp }) => [tag, stamp])),
  };
}

const ofValue: Describe = (body) => ({ etag: etagOf(body), ...versionOf('db', body) });

const ofResponse: Describe = (stored) => ({ etag: deserialise(stored).etag, ...versionOf('api', stored) });

function versionOf(layer: Layer, text: string): Pick<LevelStateView, 'version'> {
  const version = versionIn(layer, text);
  return version === undefined ? {} : { version };
}
