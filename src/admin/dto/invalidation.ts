import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsOptional, IsString, Length } from 'class-validator';

const maxTags = 1_000;
const maxLength = 300;

const list = { type: String, isArray: true, maxItems: maxTags };

/** What an operator wants to be loaded again. */
export class InvalidationInput {
  @ApiPropertyOptional({ ...list, description: 'tags of things that may have changed', example: ['items:42'] })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(maxTags)
  @IsString({ each: true })
  @Length(1, maxLength, { each: true })
  tags?: string[] | null;

  @ApiPropertyOptional({ ...list, description: 'keys, as of `entries`: each stands for a tag', example: ['/items/42'] })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(maxTags)
  @IsString({ each: true })
  @Length(1, maxLength, { each: true })
  keys?: string[] | null;
}

export class InvalidationView {
  @ApiProperty({ ...list, description: 'everything that depends on one of them is not served any more' })
  tags!: readonly string[];
}

export class ClearedView {
  @ApiProperty({ description: 'name of the generation that has begun: nothing older is reachable' })
  generation!: string;
}
