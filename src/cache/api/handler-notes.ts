import { validateHeaderName, validateHeaderValue } from 'node:http';
import { type Request, type Response } from 'express';
import { WorkStorage } from '../engine/work-storage.js';
import { type HeaderLine } from './semantics/freshen.js';
import { type Validators } from './semantics/validators.js';
import { type SentHead, WatchedHead } from './sent-head.js';
import { type Answer, type Said } from './stored-response.js';

type HeaderValue = number | string | readonly string[];

/**
 * Fields that may have been set before the handler runs (`@Header()`, middleware) and belong to what it says all the same: they
 * decide what becomes of its answer. Whoever is given a cookie may be shown what belongs to that cookie.
 */
const said = 'cache-control cdn-cache-control content-type etag expires last-modified set-cookie vary'.split(' ');

/** What one run of a handler says with its response object: written down, not sent. */
class Notes {
  readonly removed = new Set<string>();
  /** The handler answers by itself from here on. */
  released = false;
  reason: string | undefined;

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

/** What a handler threw, and what it had said until then: that goes out with the error, as it would without a cache. */
export class HandlerError extends Error {
  constructor(
    cause: unknown,
    readonly said: Said,
  ) {
    super('a handler failed', { cause });
  }
}

/** Runs a handler and tells what it answered; undefined where it sent an answer itself. @throws {HandlerError} */
export type Notebook = (held: Validators | undefined, work: () => Promise<unknown>) => Promise<Answer | undefined>;

/**
 * Turns a response object into a notebook for the handlers that run with it: status and header fields are part of the
 * answer, which may be sent to several clients, later, or (renewed behind an answer) to none. What else happens to the
 * object, at the same time or later, goes through to the client.
 *
 * A request for the head of an answer (HEAD) is one for the answer to a handler: what it says is kept for GET, too.
 * @param response as the route was entered, with nothing of an answer in it yet
 */
export function notebookOf(request: Request, response: Response): Notebook & { readonly head: SentHead } {
  const { statusCode } = response;
  const head = new WatchedHead(response);
  const before = said.flatMap((name) => {
    const value = response.getHeader(name);
    return value === undefined ? [] : [[name, [name, value] as const] as const];
  });
  const json = jsonOf(response);
  const notebook: Notebook = async (held, work) => {
    install(request, response, head);
    const notes = new Notes(response, statusCode, held, new Map(before));
    try {
      const value = await storage.run(notes, work);
      return notes.released ? undefined : { ...saidIn(notes), value, json };
    } catch (error) {
      throw notes.released ? error : new HandlerError(error, saidIn(notes));
    }
  };
  return Object.assign(notebook, { head });
}

function saidIn({ status, reason, lines, removed }: Notes): Said {
  const text = (value: HeaderValue) => (typeof value === 'object' ? value.map(String) : String(value));
  return {
    status,
    lines: [...lines.values()].map(([name, value]): HeaderLine => [name, text(value)]),
    ...(reason !== undefined && { reason }),
    ...(removed.size > 0 && { removed: [...removed] }),
  };
}

interface Express {
  readonly response: { json(this: unknown, value: object): void };
}

/** Express's own JSON, with the settings of the application (`json spaces`, `json replacer`, `json escape`). */
function jsonOf({ app }: Response): Answer['json'] {
  return (value) => {
    let text: string | undefined;
    const sink = { app, get: () => 'application/json', send: (body: string | undefined) => (text = body) };
    (app as unknown as Express).response.json.call(sink, value);
    return text;
  };
}

const installed = Symbol('notebook');

/** Puts the notebook in front of the methods of one response object. */
function install(request: Request, response: Response & { [installed]?: true }, head: WatchedHead): void {
  if (response[installed]) return;
  const real = {
    setHeader: response.setHeader.bind(response),
    getHeader: response.getHeader.bind(response),
    hasHeader: response.hasHeader.bind(response),
    removeHeader: response.removeHeader.bind(response),
    writeHead: response.writeHead.bind(response) as (...args: unknown[]) => Response,
  };
  const { method } = request;
  let { statusCode: status, statusMessage: reason } = response;
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
    statusMessage: {
      configurable: true,
      get: () => {
        const notes = current();
        return notes ? notes.reason : reason;
      },
      set: (value: string) => {
        const notes = current();
        if (notes) notes.reason = value;
        else reason = value;
      },
    },
  });
  if (method === 'HEAD')
    Object.defineProperty(request, 'method', { configurable: true, get: () => (current() ? 'GET' : method) });
  Object.assign(response, {
    setHeader: (name: string, value: HeaderValue) => {
      const notes = current();
      if (!notes) return real.setHeader(name, value);
      validateHeaderName(name);
      validateHeaderValue(name, value as string);
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
      const written = real.writeHead(...args);
      head.written();
      return written;
    },
  });
  head.install();
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
  if (notes.reason !== undefined) notes.response.statusMessage = notes.reason;
}
