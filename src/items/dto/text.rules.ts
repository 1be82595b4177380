import { ValidateBy, type ValidationOptions } from 'class-validator';

/**
 * Text of `min` to `max` code points that PostgreSQL can store: well-formed Unicode without U+0000. (class-validator's own
 * length rule counts UTF-16 code units.)
 */
export function IsText(min: number, max: number, options?: ValidationOptions): PropertyDecorator {
  const message = `must be text of ${min} to ${max} characters, without U+0000 and unpaired surrogates`;
  return ValidateBy(
    { name: 'isText', validator: { validate: (value) => isText(value, min, max), defaultMessage: () => message } },
    options,
  );
}

function isText(value: unknown, min: number, max: number): boolean {
  if (typeof value !== 'string' || value.length > 2 * max || value.includes('\0')) return false;
  if (/\p{Surrogate}/u.test(value)) return false;
  const { length } = [...value];
  return length >= min && length <= max;
}

/** Lower-case letters, digits and hyphens. */
export function IsSlug(options?: ValidationOptions): PropertyDecorator {
  const message = 'must be 1 to 64 of a-z, 0-9 and -';
  const validate = (value: unknown) => typeof value === 'string' && /^[a-z0-9-]{1,64}$/.test(value);
  return ValidateBy({ name: 'isSlug', validator: { validate, defaultMessage: () => message } }, options);
}
