import { ApiProperty } from '@nestjs/swagger';

/** An item as it is answered and cached: plain JSON, fields in this order. */
export class ItemView {
  @ApiProperty({ type: 'integer', minimum: 1, maximum: 2147483647, example: 42 })
  id!: number;

  @ApiProperty({ minLength: 1, maxLength: 200, example: 'Claw hammer, 16 oz' })
  name!: string;

  @ApiProperty({ type: String, nullable: true, maxLength: 2000, example: 'Forged head, hickory handle.' })
  description!: string | null;

  @ApiProperty({ pattern: '^[a-z0-9-]{1,64}$', example: 'tools' })
  category!: string;

  @ApiProperty({ type: Number, minimum: 0, maximum: 9999999999.99, multipleOf: 0.01, example: 24.9 })
  price!: number;

  @ApiProperty({ type: 'integer', minimum: 0, maximum: 2147483647, example: 120 })
  quantity!: number;

  @ApiProperty({ type: 'integer', minimum: 1, description: '+1 per update', example: 1 })
  version!: number;

  @ApiProperty({ format: 'date-time', example: '2025-03-01T08:00:00.000Z' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time', example: '2025-03-01T08:00:00.000Z' })
  updatedAt!: string;
}

/** One page of a list. */
export class ItemsPage {
  @ApiProperty({ type: [ItemView] })
  data!: ItemView[];

  @ApiProperty({ type: String, nullable: true, description: 'of the next page; null on the last', example: null })
  nextCursor!: string | null;
}

/** A row as the driver gives it. */
export interface ItemRow {
  readonly id: number;
  readonly name: string;
  readonly description: string | null;
  readonly category: string;
  /** Decimal text: exact. */
  readonly price: string;
  readonly quantity: number;
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** The columns of {@link ItemRow}, of a table that is called `i`. */
export const itemColumns =
  'i.id, i.name, i.description, i.category, i.price, i.quantity, i.version, i.created_at, i.updated_at';

export function viewOf(row: ItemRow): ItemView {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    category: row.category,
    price: Number(row.price),
    quantity: row.quantity,
    version: row.version,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
