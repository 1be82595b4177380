import { Injectable, type PipeTransform } from '@nestjs/common';
import { badRequest } from '../../http/index.js';
import { maxInteger } from './number.rules.js';

/** The id in a path: one spelling per id; `undefined` for anything else. */
export function parseId(text: unknown): number | undefined {
  const id = typeof text === 'string' && /^[1-9]\d{0,9}$/.test(text) ? Number(text) : Infinity;
  return id <= maxInteger ? id : undefined;
}

/** @throws 400 */
@Injectable()
export class IdPipe implements PipeTransform<string, number> {
  transform(text: string): number {
    const id = parseId(text);
    if (id !== undefined) return id;
    throw badRequest({ in: 'path', field: 'id', message: `must be a whole number from 1 to ${maxInteger}` });
  }
}
