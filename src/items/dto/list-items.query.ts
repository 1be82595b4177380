import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { type SortName, sortNames } from '../paging/sort.js';
import { IsWhole } from './number.rules.js';
import { IsSlug, IsText } from './text.rules.js';

/** The parameters of `GET /items`; `limit` may have leading zeros. */
export class ListItemsQuery {
  @ApiPropertyOptional({ pattern: '^[a-z0-9-]{1,64}$', example: 'tools' })
  @IsOptional()
  @IsSlug()
  category?: string;

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: 100,
    description: 'part of the name or the description, in any case',
    example: 'hammer',
  })
  @IsOptional()
  @IsText(1, 100)
  q?: string;

  @ApiPropertyOptional({ enum: sortNames, default: 'id', description: 'ties by id; names by code point' })
  @IsIn(sortNames)
  sort: SortName = 'id';

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 100, default: 20 })
  @Transform(({ value }: { value: unknown }) => (/^\d{1,20}$/.test(String(value)) ? Number(value) : value))
  @IsWhole(1, 100)
  limit: number = 20;

  @ApiPropertyOptional({ description: '`nextCursor` of the page before, with the same sort and filters' })
  @IsOptional()
  @IsString()
  @MaxLength(2048)
  cursor?: string;
}
