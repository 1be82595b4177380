import { createHash } from 'node:crypto';
import { type Fields, field, members } from './fields.js';

/** How many variants of one key are kept; one more pushes the oldest out. */
export const maxVariants = 16;

/** The request fields that selected a response (RFC 9110, 12.5.5), in lower case and order. */
export function varyNames(fields: Fields): string[] {
  return [...new Set(members(field(fields, 'vary')).map((name) => name.toLowerCase()))].sort();
}

/**
 * Names one variant: equal for two requests exactly if every selecting field is absent from both, or the same in both but
 * for white space around commas (RFC 9111, 4.1).
 */
export function variantOf(names: readonly string[], request: Fields): string {
  const values = names.map((name) => normal(name, field(request, name)));
  return createHash('sha256')
    .update(JSON.stringify([names, values]))
    .digest('base64url')
    .slice(0, 22);
}

/** Language ranges are the same in any case (RFC 9110, 12.5.4). */
function normal(name: string, value: string | undefined): string | null {
  if (value === undefined) return null;
  const parts = value.split(',').map((part) => part.trim());
  return name === 'accept-language' ? parts.join(',').toLowerCase() : parts.join(',');
}

/** What a key leads to when its responses vary: the fields that select, and the variants that are kept, oldest first. */
export interface Variants {
  readonly names: readonly string[];
  readonly known: readonly string[];
}

/** With one more variant. Other names than before mean that nothing stored can be selected any more: fails closed. */
export function withVariant(before: Variants | undefined, names: readonly string[], variant: string): Variants {
  const same = before !== undefined && before.names.join() === names.join();
  const others = same ? before.known.filter((known) => known !== variant) : [];
  return { names, known: [...others, variant].slice(-maxVariants) };
}
