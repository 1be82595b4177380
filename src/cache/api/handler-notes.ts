import { AsyncLocalStorage } from 'node:async_hooks';
import { type Response } from 'express';
import { type HeaderLine } from './semantics/freshen.js';
import { type Validators } from './semantics/validators.js';
import { type Answer } from './stored-response.js';

type HeaderValue = number | string | readonly string[];

/** Fields that may have been set before the handler runs (`@Header()`) and belong to what it says all the same. */
const said = ['cache-control', 'cdn-cache-control', 'content-type', 'etag', 'expires', 'last-modified', 'vary'];

/** What one run of a handler says with its response object: written down, not sent. */
class Notes {
  readonly lines = new Map<string, readonly [name: string, value: HeaderValue]>();
  readonly removed = new Set<string>();
  /** The handler answers by itself from here on. */
  released = false;

  constructor(
    readonly response: Response,
    public status: number,
    readonly held: Validators | undefined,
  ) {}
}

const records = new AsyncLocalStorage<Notes>();

/**
 * What the cache holds of the answer that the running handler is asked for: a handler that knows how may answer 304
 * (`res.status(304)`) instead of making it anew (RFC 9111, 4.3). Undefined where nothing is held.
 */
export const heldValidators = (): Validators | undefined => records.getStore()?.held;

/**
 * Runs a handler with its response object turned into a notebook: status and header fields are part of the answer, which
 * may be sent to several clients, later, or (renewed behind an answer) to none. What else happens to the object, before or
 * at the same time, goes through to the client.
 * @returns undefined where the handler sent an answer itself
 */
export async function recorded(
  response: Response,
  held: Validators | undefined,
  work: () => Promise<unknown>,
): Promise<Answer | undefined> {
  install(response);
  const record = new Notes(response, response.headersSent ? 200 : response.statusCode, held);
  for (const name of said) {
    const value = response.getHeader(name);
    if (value !== undefined) record.lines.set(name, [name, value]);
  }
  const value = await records.run(record, work);
  if (record.released) return undefined;
  const lines = [...record.lines.values()].map(([name, text]): HeaderLine => [
    name,
    typeof text === 'object' ? text.map(String) : String(text),
  ]);
  return { value, status: record.status, lines };
}

const installed = Symbol('recorded');

/** Puts the notebook in front of the methods of one response object. */
function install(response: Response & { [installed]?: true }): void {
  if (response[installed]) return;
  const real = {
    setHeader: response.setHeader.bind(response),
    getHeader: response.getHeader.bind(response),
    hasHeader: response.hasHeader.bind(response),
    removeHeader: response.removeHeader.bind(response),
    writeHead: response.writeHead.bind(response) as (...args: unknown[]) => Response,
  };
  let status = response.statusCode;
  const current = (): Notes | undefined => {
    const record = records.getStore();
    return record?.response === response && !record.released ? record : undefined;
  };
  const get = (name: string) => {
    const record = current();
    const key = name.toLowerCase();
    if (!record) return real.getHeader(name);
    return record.removed.has(key) ? undefined : (record.lines.get(key)?.[1] ?? real.getHeader(name));
  };
  Object.defineProperties(response, {
    [installed]: { value: true },
    statusCode: {
      configurable: true,
      get: () => current()?.status ?? status,
      set: (value: number) => {
        const record = current();
        if (record) record.status = value;
        else status = value;
      },
    },
  });
  Object.assign(response, {
    setHeader: (name: string, value: HeaderValue) => {
      const record = current();
      if (!record) return real.setHeader(name, value);
      record.removed.delete(name.toLowerCase());
      record.lines.set(name.toLowerCase(), [name, value]);
      return response;
    },
    appendHeader: (name: string, value: string | readonly string[]) => {
      const before = get(name);
      return response.setHeader(name, before === undefined ? value : [before, value].flat().map(String));
    },
    getHeader: get,
    hasHeader: (name: string) => get(name) !== undefined,
    removeHeader: (name: string) => {
      const record = current();
      if (!record) return real.removeHeader(name);
      record.removed.add(name.toLowerCase());
      record.lines.delete(name.toLowerCase());
    },
    writeHead: (...args: unknown[]) => {
      const record = current();
      if (record) release(record, real.setHeader, real.removeHeader);
      return real.writeHead(...args);
    },
  });
}

/** The handler sends: what was written down becomes the head of its answer. */
function release(
  record: Notes,
  setHeader: (name: string, value: HeaderValue) => unknown,
  removeHeader: (name: string) => void,
): void {
  record.released = true;
  for (const name of record.removed) removeHeader(name);
  for (const [name, value] of record.lines.values()) setHeader(name, value);
  record.response.statusCode = record.status;
}
