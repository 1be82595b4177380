import { Column, Entity, PrimaryGeneratedColumn, type ValueTransformer } from 'typeorm';

/** numeric(12,2) is text on the wire; every value with two decimals below 10^10 is exact enough as a double. */
const asNumber: ValueTransformer = {
  to: (value: number) => value,
  from: (text: string) => Number(text),
};

/**
 * A row of `items`. The database keeps `version` and `updatedAt` honest (a trigger), so that SQL from elsewhere does too;
 * `collation "C"` orders names by code point. Indexes, checks and triggers belong to the migrations alone.
 */
@Entity('items')
export class Item {
  @PrimaryGeneratedColumn('identity', { type: 'integer', generatedIdentity: 'BY DEFAULT' })
  id!: number;

  @Column({ type: 'text', collation: 'C' })
  name!: string;

  @Column({ type: 'text', nullable: true })
  description!: string | null;

  @Column({ type: 'text', collation: 'C' })
  category!: string;

  @Column({ type: 'numeric', precision: 12, scale: 2, transformer: asNumber })
  price!: number;

  @Column({ type: 'integer' })
  quantity!: number;

  /** 1 for a new row, +1 per update; the writer counts under the row's lock. */
  @Column({ type: 'integer', default: 1 })
  version!: number;

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3, default: () => 'now()', update: false })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3, default: () => 'now()', update: false })
  updatedAt!: Date;
}
