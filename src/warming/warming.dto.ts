import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, ValidateBy, ValidateIf } from 'class-validator';
import { type JobState, jobStates } from './jobs.js';
import { type RowId, strategies, type Strategy } from './warmer.js';

const maxLimit = 1_000_000;
const maxIds = 10_000;

/** What is to be warmed: the body of a POST. Whether the ids can be ids is the entity's to say. */
export class WarmingJobInput {
  @ApiProperty({
    enum: strategies,
    description: '`ids`: these rows; `recent`: those changed last; `lists`: first pages; `all`: every row',
    example: 'recent',
  })
  @IsIn(strategies)
  strategy!: Strategy;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: maxLimit,
    description: 'at most so many rows or lists; 1,000 for `recent`, else all',
    example: 1000,
  })
  @IsOptional()
  @IsLimit()
  limit?: number;

  @ApiPropertyOptional({
    type: 'array',
    items: { oneOf: [{ type: 'integer' }, { type: 'string' }] },
    minItems: 1,
    maxItems: maxIds,
    description: 'with strategy `ids`, and only with it',
    example: [1, 2, 42],
  })
  @ValidateIf(({ strategy, ids }: WarmingJobInput) => strategy === 'ids' || ids !== undefined)
  @IsIdList()
  ids?: RowId[];

  @ApiPropertyOptional({ description: 'may be left out while only one entity is cached', example: 'items' })
  @IsOptional()
  @IsString()
  entity?: string;
}

/** A warming job as it is answered. */
export class WarmingJobOutput {
  @ApiProperty({ example: '17' })
  id!: string;

  @ApiProperty({ enum: jobStates, example: 'active' })
  state!: JobState;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    maximum: 100,
    description: '100 once everything was gone through',
    example: 42,
  })
  progress!: number;

  @ApiProperty({ example: 'items' })
  entity!: string;

  @ApiProperty({ enum: strategies, example: 'recent' })
  strategy!: Strategy;

  @ApiPropertyOptional({ type: 'integer', example: 1000 })
  limit?: number;

  @ApiPropertyOptional({ type: 'integer', description: 'entries filled so far', example: 400 })
  warmed?: number;

  @ApiPropertyOptional({ type: 'integer', description: 'entries that were fresh already', example: 20 })
  alreadyCached?: number;

  @ApiPropertyOptional({ type: 'integer', description: 'entries that a writer kept from being filled', example: 0 })
  refused?: number;

  @ApiPropertyOptional({ description: 'time spent at work, in seconds', example: 0.212 })
  seconds?: number;

  @ApiProperty({
    type: 'integer',
    description: 'attempts in a row that failed without getting any further',
    example: 0,
  })
  attempts!: number;

  @ApiPropertyOptional({ description: 'why it failed', example: 'the shared level cannot be filled' })
  error?: string;

  @ApiProperty({ format: 'date-time', example: '2025-03-01T08:00:00.000Z' })
  createdAt!: string;

  @ApiPropertyOptional({ format: 'date-time', example: '2025-03-01T08:00:00.010Z' })
  startedAt?: string;

  @ApiPropertyOptional({ format: 'date-time', example: '2025-03-01T08:00:00.222Z' })
  finishedAt?: string;
}

function IsLimit(): PropertyDecorator {
  const message = `must be a whole number from 1 to ${maxLimit}`;
  const validate = (value: unknown) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= maxLimit;
  return ValidateBy({ name: 'isLimit', validator: { validate, defaultMessage: () => message } });
}

function IsIdList(): PropertyDecorator {
  const hasPlace = (input: object | undefined) => (input as WarmingJobInput | undefined)?.strategy === 'ids';
  return ValidateBy({
    name: 'isIdList',
    validator: {
      validate: (value: unknown, args) =>
        hasPlace(args?.object) && Array.isArray(value) && value.length >= 1 && value.length <= maxIds,
      defaultMessage: (args) =>
        hasPlace(args?.object) ? `must be a list of 1 to ${maxIds} ids` : 'belongs to strategy `ids` only',
    },
  });
}
