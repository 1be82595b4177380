import { type Response } from 'express';
import { type Fields } from './semantics/fields.js';

/**
 * The head of an answer on its way out. Middleware may wait for it to say more (`on-headers`: sessions set their cookie then,
 * logs take the time): what is decided of such an answer before it is sent is decided too early.
 */
export interface SentHead {
  /** Whether anybody waits for it. */
  isWatched(): boolean;
  /** Once it is written; undefined where the client has gone first. */
  readonly sent: Promise<{ readonly status: number; readonly fields: Fields } | undefined>;
}

/** Methods by which a head is written; whoever waits for it puts one of their own in the place of one. */
const writing = ['writeHead', 'write', 'end'] as const;

export class WatchedHead implements SentHead {
  readonly sent: SentHead['sent'];
  readonly #watchedBefore: boolean;
  #settle!: (sent: Awaited<SentHead['sent']>) => void;
  #writeHead: unknown;

  constructor(private readonly response: Response) {
    this.#watchedBefore = this.isWatched();
    this.sent = new Promise((resolve) => (this.#settle = resolve));
  }

  isWatched(): boolean {
    const { response } = this;
    const own = writing.filter((name) => Object.hasOwn(response, name) && response[name] !== this.#writeHead);
    return this.#watchedBefore || own.length > 0;
  }

  /** Once `writeHead` of the response is the one that tells of what it writes. */
  install(): void {
    this.#writeHead = Object.getOwnPropertyDescriptor(this.response, 'writeHead')?.value;
    this.response.once('close', () => this.#settle(undefined));
  }

  written(): void {
    this.#settle({ status: this.response.statusCode, fields: fieldsIn(this.response) });
  }
}

/** As they stand in the head: middleware may have said them without setting them. */
function fieldsIn(response: Response & { readonly _header?: string | null }): Fields {
  const fields: Record<string, string[]> = {};
  for (const line of (response._header ?? '').split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    if (colon > 0) (fields[line.slice(0, colon).toLowerCase()] ??= []).push(line.slice(colon + 1).trim());
  }
  return fields;
}
