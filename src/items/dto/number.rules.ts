import { ValidateBy } from 'class-validator';

/** Largest value of PostgreSQL's `integer`. */
export const maxInteger = 2_147_483_647;
/** Largest value of `numeric(12,2)`. */
const maxPrice = 9_999_999_999.99;

/** A number with at most two decimals, as the client wrote it: 19.99 is not exact as a double, yet has two decimals. */
export function IsPrice(): PropertyDecorator {
  const message = `must be a number from 0 to ${maxPrice} with at most 2 decimals`;
  const validate = (value: unknown) =>
    typeof value === 'number' && value >= 0 && value <= maxPrice && Number(value.toFixed(2)) === value;
  return ValidateBy({ name: 'isPrice', validator: { validate, defaultMessage: () => message } });
}

/** A number without a fraction; never text that looks like one. */
export function IsWhole(min: number, max: number): PropertyDecorator {
  const message = `must be a whole number from ${min} to ${max}`;
  const validate = (value: unknown) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
  return ValidateBy({ name: 'isWhole', validator: { validate, defaultMessage: () => message } });
}
