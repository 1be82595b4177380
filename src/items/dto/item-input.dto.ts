import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { IsPrice, IsWhole, maxInteger } from './number.rules.js';
import { IsSlug, IsText } from './text.rules.js';

/** What a client says about an item, for POST and for PUT: an omitted description is none. */
export class ItemInput {
  @ApiProperty({ minLength: 1, maxLength: 200, example: 'Claw hammer, 16 oz' })
  @IsText(1, 200)
  name!: string;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 2000, example: 'Forged head, hickory handle.' })
  @IsOptional()
  @IsText(0, 2000)
  description?: string | null;

  @ApiProperty({ pattern: '^[a-z0-9-]{1,64}$', example: 'tools' })
  @IsSlug()
  category!: string;

  @ApiProperty({ type: Number, minimum: 0, maximum: 9999999999.99, multipleOf: 0.01, example: 24.9 })
  @IsPrice()
  price!: number;

  @ApiProperty({ type: 'integer', minimum: 0, maximum: 2147483647, example: 120 })
  @IsWhole(0, maxInteger)
  quantity!: number;
}
