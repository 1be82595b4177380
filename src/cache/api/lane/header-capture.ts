import { type ServerResponse } from 'node:http';
import { applicationFields, representationFields } from './known-headers.js';

/** As Node has sent it, which has seen to it that neither is more than that. */
export type Field = readonly [name: string, value: string];

/**
 * Reads the header fields off an answer that has been sent, and vouches for them: every one is known to depend on nothing
 * that a request says, and the application's own had the same values in the answer before, of the same route.
 */
export class HeaderCapture {
  readonly #last = new Map<string, string>();

  /** @returns the fields in the order in which they were sent; `field` where one is not known; undefined where none was known before */
  capture(route: string, res: ServerResponse): Field[] | 'field' | undefined {
    const lines: Field[] = [];
    const own: string[] = [];
    for (const name of (res as Raw).getRawHeaderNames()) {
      const value = res.getHeader(name);
      const lower = name.toLowerCase();
      if (typeof value !== 'string' && typeof value !== 'number') return 'field';
      if (lower === 'vary' && value !== 'Accept-Encoding') return 'field';
      if (applicationFields.has(lower)) own.push(`${lower}: ${value}`);
      else if (!representationFields.has(lower)) return 'field';
      lines.push([name, String(value)]);
    }
    const signature = own.sort().join('\n');
    const before = this.#last.get(route);
    this.#last.set(route, signature);
    if (before === signature) return lines;
    return before === undefined ? undefined : 'field';
  }
}

/** Of Node 15.4 and later, for answers too; the types know it of requests only. */
interface Raw extends ServerResponse {
  getRawHeaderNames(): string[];
}
