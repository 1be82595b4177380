import { type CatalogueItem } from './catalogue-item.js';

/**
 * `label` takes the place of `{}` in the line's name, `detail` the place of `{}` in its description.
 * A variant whose detail is null has no description at all.
 */
export type Variant = readonly [label: string, price: number, quantity: number, detail?: string | null];

/** A product and the variants it is sold in. */
export interface ProductLine {
  readonly name: string;
  readonly description: string | null;
  readonly variants: readonly Variant[];
}

/** A category (its slug) and its product lines. */
export interface Section {
  readonly category: string;
  readonly lines: readonly ProductLine[];
}

export function section(category: string, ...lines: readonly ProductLine[]): Section {
  return { category, lines };
}

export function line(name: string, description: string | null, ...variants: readonly Variant[]): ProductLine {
  return { name, description, variants };
}

/** A product sold in one form only. */
export function single(name: string, description: string | null, price: number, quantity: number): ProductLine {
  return { name, description, variants: [['', price, quantity]] };
}

export function expand({ category, lines }: Section): CatalogueItem[] {
  return lines.flatMap(({ name, description, variants }) =>
    variants.map(([label, price, quantity, detail]) => ({
      name: fill(name, label),
      description: description === null || detail === null ? null : fill(description, detail ?? ''),
      category,
      price,
      quantity,
    })),
  );
}

function fill(template: string, value: string): string {
  return template.split('{}').join(value).trim();
}
