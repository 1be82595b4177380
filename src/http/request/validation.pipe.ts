import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import { badRequest, type FieldError } from '../answer/problem.js';

/**
 * Checks bodies and queries against the class-validator rules of their class; a class without rules is left alone.
 *
 * Unlike Nest's own pipe it never coerces a body, refuses anything that is not an object, and takes over known fields
 * only, so that names like `constructor` or `__proto__` are ordinary unknown fields.
 */
@Injectable()
export class ValidationPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    const fields = metatype ? fieldsOf(metatype) : undefined;
    if (!metatype || !fields || type === 'custom') return value;
    const place = type === 'param' ? 'path' : type;
    if (!isRecord(value)) throw badRequest({ in: place, field: place, message: missingOrNoObject(value) });
    const instance: object =
      place === 'query' ? fromQuery(metatype, value) : Object.assign(new metatype() as object, pick(value, fields));
    const faults: FieldError[] = Object.keys(value)
      .filter((field) => !fields.has(field))
      .map((field) => ({ in: place, field: field.slice(0, 64), message: 'is not a known field' }));
    const options = { whitelist: true, forbidNonWhitelisted: true, validationError: { target: false, value: false } };
    for (const error of validateSync(instance, options)) faults.push(...faultsOf(error, place));
    if (faults.length > 0) throw badRequest(...faults);
    return instance;
  }
}

const known = new Map<Type<unknown>, ReadonlySet<string> | undefined>();

function fieldsOf(metatype: Type<unknown>): ReadonlySet<string> | undefined {
  if (!known.has(metatype)) {
    const rules = getMetadataStorage().getTargetValidationMetadatas(metatype, '', true, false);
    known.set(metatype, rules.length > 0 ? new Set(rules.map(({ propertyName }) => propertyName)) : undefined);
  }
  return known.get(metatype);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function missingOrNoObject(value: unknown): string {
  return value === undefined ? 'is required' : 'must be a JSON object';
}

function pick(value: Record<string, unknown>, fields: ReadonlySet<string>): Record<string, unknown> {
  return Object.fromEntries([...fields].filter((f) => Object.hasOwn(value, f)).map((f) => [f, value[f]]));
}

/** A query is text: its class says with `@Transform` what becomes a number. */
function fromQuery(metatype: Type<unknown>, value: Record<string, unknown>): object {
  return plainToInstance(metatype, { ...value }, { exposeUnsetFields: false }) as object;
}

function faultsOf(error: ValidationError, place: FieldError['in'], parent = ''): FieldError[] {
  const field = parent + error.property;
  const own = Object.values(error.constraints ?? {}).map((message) => ({
    in: place,
    field,
    message: message.startsWith(`${error.property} `) ? message.slice(error.property.length + 1) : message,
  }));
  return [...own, ...(error.children ?? []).flatMap((child) => faultsOf(child, place, `${field}.`))];
}
