import { type Response } from 'express';
import { WorkStorage } from '../engine/work-storage.js';
import { type HeaderLine } from './semantics/freshen.js';
import { type Validators } from './semantics/validators.js';
import { type Answer } from './stored-response.js';

type HeaderValue = number | string | readonly string[];

/** Fields that may have been set before the handler runs (`@Header()`) and belong to what it says all the same. */
const said = ['cache-control', 'cdn-cache-control', 'content-type', 'etag', 'expires', 'last-modified', 'vary'];

/** What one run of a handler says with its response object: written down, not sent. */
class Notes {
  readonly removed = new Set<string>();
  /** The handler answers by itself from here on. */
  released = false;

  constructor(
    readonly response: Response,
    public status: number,
    readonly held: Validators | undefined,
    readonly lines: Map<string, readonly [name: string, value: HeaderValue]>,
  ) {}
}

const storage = new WorkStorage<Notes>();

/**
 * What the cache holds of the answer that the running handler is asked for: a handler that knows how may answer 304
 * (`res.status(304)`) instead of making it anew (RFC 9111, 4.3). Undefined where nothing is held.
 */
export const heldValidators = (): Validators | undefined => storage.current?.held;

/** Runs a handler and tells what it answered; undefined where it sent an answer itself. */
export type Notebook = (held: Validators | undefined, work: () => Promise<unknown>) => Promise<Answer | undefined>;

/**
 * Turns a response object into a notebook for the handlers that run with it: status and header fields are part of the
 * answer, which may be sent to several clients, later, or (renewed behind an answer) to none. What else happens to the
 * object, at the same time or later, goes through to the client.
 * @param response as the route was entered, with nothing of an answer in it yet
 */
export function notebookOf(response: Response): Notebook {
  const { statusCode } = response;
  const before = said.flatMap((name) => {
    const value = response.getHeader(name);
    return value === undefined ? [] : [[name, [name, value] as const] as const];
  });
  return async (held, work) => {
    install(response);
    const notes = new Notes(response, statusCode, held, new Map(before));
    const value = await storage.run(notes, work);
    if (notes.released) return undefined;
    const lines = [...notes.lines.values()].map(([name, text]): HeaderLine => [
      name,
      typeof text === 'object' ? text.map(String) : String(text),
    ]);
    return { value, status: notes.status, lines };
  };
}

const installed = Symbol('notebook');

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
    const notes = storage.current;
    return notes?.response === response && !notes.released ? notes : undefined;
  };
  const get = (name: string) => {
    const notes = current();
    const key = name.toLowerCase();
    if (!notes) return real.getHeader(name);
    const written = notes.lines.get(key)?.[1];
    return written !== undefined || notes.removed.has(key) || said.includes(key) ? written : real.getHeader(name);
  };
  Object.defineProperties(response, {
    [installed]: { value: true },
    statusCode: {
      configurable: true,
      get: () => current()?.status ?? status,
      set: (value: number) => {
        const notes = current();
        if (notes) notes.status = value;
        else status = value;
      },
    },
  });
  Object.assign(response, {
    setHeader: (name: string, value: HeaderValue) => {
      const notes = current();
      if (!notes) return real.setHeader(name, value);
      notes.removed.delete(name.toLowerCase());
      notes.lines.set(name.toLowerCase(), [name, value]);
      return response;
    },
    appendHeader: (name: string, value: string | readonly string[]) => {
      const before = get(name);
      return response.setHeader(name, before === undefined ? value : [before, value].flat().map(String));
    },
    getHeader: get,
    hasHeader: (name: string) => get(name) !== undefined,
    removeHeader: (name: string) => {
      const notes = current();
      if (!notes) return real.removeHeader(name);
      notes.removed.add(name.toLowerCase());
      notes.lines.delete(name.toLowerCase());
    },
    writeHead: (...args: unknown[]) => {
      const notes = current();
      if (notes) release(notes, real.setHeader, real.removeHeader);
      return real.writeHead(...args);
    },
  });
}

/** The handler sends: what was written down becomes the head of its answer. */
function release(
  notes: Notes,
  setHeader: (name: string, value: HeaderValue) => unknown,
  removeHeader: (name: string) => void,
): void {
  notes.released = true;
  for (const name of notes.removed) removeHeader(name);
  for (const [name, value] of notes.lines.values()) setHeader(name, value);
  notes.response.statusCode = notes.status;
}
