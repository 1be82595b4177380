import { Injectable, type PipeTransform } from '@nestjs/common';
import { badRequest } from '../../http/index.js';
import { maxInteger } from './number.rules.js';

/** The id in a path: one spelling per id. @throws 400 */
@Injectable()
export class IdPipe implements PipeTransform<string, number> {
  transform(text: string): number {
    const id = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : Infinity;
    if (id <= maxInteger) return id;
    throw badRequest({ in: 'path', field: 'id', message: `must be a whole number from 1 to ${maxInteger}` });
  }
}
