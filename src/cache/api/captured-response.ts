import { validateHeaderName, validateHeaderValue } from 'node:http';
import { type Request, type Response } from 'express';
import { WorkStorage } from '../engine/work-storage.js';
import { type HeaderLine } from './semantics/freshen.js';
import { type Validators } from './semantics/validators.js';
import { type SentHead, WatchedHead } from './sent-head.js';
import { type HandlerAnswer, type StatusAndHeaders } from './stored-response.js';

type HeaderValue = number | string | readonly string[];

/**
 * Fields that may have been set before the handler runs (`@Header()`, middleware) and belong to what it says all the same: they
 * decide what becomes of its answer. Whoever is given a cookie may be shown what belongs to that cookie.
 */
const said = 'cache-control cdn-cache-control content-type etag expires last-modified set-cookie vary'.split(' ');

/** What one run of a handler says with its response object: written down, not sent. */
class ResponseRecorder {
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

const storage = new WorkStorage<ResponseRecorder>();

/**
 * What the cache holds of the answer that the running handler is asked for: a handler that knows how may answer 304
 * (`res.status(304)`) instead of making it anew (RFC 9111, 4.3). Undefined where nothing is held.
 */
export const heldValidators = (): Validators | undefined => storage.current?.held;

/** What a handler threw, and what it had said until then: that goes out with the error, as it would without a cache. */
export class HandlerError extends Error {
  constructor(
    cause: unknown,
    readonly said: StatusAndHeaders,
  ) {
    super('a handler failed', { cause });
  }
}

/** Runs a handler and tells what it answered; undefined where it sent an answer itself. @throws {HandlerError} */
export type ResponseCapture = (held: Validators | undefined, work: () => Promise<unknown>) => Promise<HandlerAnswer | undefined>;

/**
 * Turns a response object into a notebook for the handlers that run with it: status and header fields are part of the
 * answer, which may be sent to several clients, later, or (renewed behind an answer) to none. What else happens to the
 * object, at the same time or later, goes through to the client.
 *
 * A request for the head of an answer (HEAD) is one for the answer to a handler: what it says is kept for GET, too.
 * @param response as the route was entered, with nothing of an answer in it yet
 */
export function captureResponse(request: Request, response: Response): ResponseCapture & { readonly head: SentHead } {
  const { statusCode } = response;
  const head = new WatchedHead(response);
  const already = said.flatMap((name) => {
    const value = response.getHeader(name);
    return value === undefined ? [] : [[name, [name, value] as const] as const];
  });
  const json = jsonOf(response);
  const notebook: ResponseCapture = async (held, work) => {
    install(request, response, head);
    const notes = new ResponseRecorder(response, statusCode, held, new Map(already));
    try {
      const value = await storage.run(notes, work);
      return notes.released ? undefined : { ...saidIn(notes), value, json };
    } catch (error) {
      throw notes.released ? error : new HandlerError(error, saidIn(notes));
    }
  };
  return Object.assign(notebook, { head });
}

function saidIn({ status, reason, lines, removed }: ResponseRecorder): StatusAndHeaders {
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
function jsonOf({ app }: Response): HandlerAnswer['json'] {
  return (value) => {
    let text: string | undefined;
    const sink = { app, get: () => 'application/json', send: (body: string | undefined) => (text = body) };
    (app as unknown as Express).response.json.call(sink, value);
    return text;
  };
}

/** What a response object was before it became a notebook. */
interface Before {
  readonly setHeader: (name: string, value: HeaderValue) => Response;
  readonly getHeader: Response['getHeader'];
  readonly removeHeader: (name: string) => void;
  readonly writeHead: (...args: unknown[]) => Response;
  readonly head: WatchedHead;
  status: number;
  reason: string | undefined;
}

const before = Symbol('before it became a notebook');

type NotebookResponse = Response & { readonly [before]: Before };

const notesOf = (response: Response): ResponseRecorder | undefined => {
  const notes = storage.current;
  return notes?.response === response && !notes.released ? notes : undefined;
};

/** One set for all responses: were they made for each, V8 could share nothing about the shape of response objects. */
const properties: PropertyDescriptorMap & ThisType<NotebookResponse> = {
  statusCode: {
    configurable: true,
    get() {
      return notesOf(this)?.status ?? this[before].status;
    },
    set(value: number) {
      (notesOf(this) ?? this[before]).status = value;
    },
  },
  statusMessage: {
    configurable: true,
    get() {
      return (notesOf(this) ?? this[before]).reason;
    },
    set(value: string) {
      (notesOf(this) ?? this[before]).reason = value;
    },
  },
};

const methods: object & ThisType<NotebookResponse> = {
  setHeader(name: string, value: HeaderValue) {
    const notes = notesOf(this);
    if (!notes) return this[before].setHeader(name, value);
    validateHeaderName(name);
    validateHeaderValue(name, value as string);
    notes.removed.delete(name.toLowerCase());
    notes.lines.set(name.toLowerCase(), [name, value]);
    return this;
  },
  appendHeader(name: string, value: string | readonly string[]) {
    const existing = this.getHeader(name);
    return this.setHeader(name, existing === undefined ? value : [existing, value].flat().map(String));
  },
  getHeader(name: string) {
    const notes = notesOf(this);
    const key = name.toLowerCase();
    const { getHeader } = this[before];
    if (!notes) return getHeader(name);
    const written = notes.lines.get(key)?.[1];
    return written !== undefined || notes.removed.has(key) || said.includes(key) ? written : getHeader(name);
  },
  hasHeader(name: string) {
    return this.getHeader(name) !== undefined;
  },
  removeHeader(name: string) {
    const notes = notesOf(this);
    if (!notes) return this[before].removeHeader(name);
    notes.removed.add(name.toLowerCase());
    notes.lines.delete(name.toLowerCase());
  },
  writeHead(...args: unknown[]) {
    const { setHeader, removeHeader, writeHead, head } = this[before];
    const notes = notesOf(this);
    if (notes) release(notes, setHeader, removeHeader);
    const written = writeHead(...args);
    head.written();
    return written;
  },
};

/** Puts the notebook in front of the methods of one response object. */
function install(request: Request, response: Response & { readonly [before]?: Before }, head: WatchedHead): void {
  if (response[before]) return;
  const own: Before = {
    setHeader: response.setHeader.bind(response),
    getHeader: response.getHeader.bind(response),
    removeHeader: response.removeHeader.bind(response),
    writeHead: response.writeHead.bind(response) as Before['writeHead'],
    head,
    status: response.statusCode,
    reason: response.statusMessage,
  };
  Object.defineProperty(response, before, { value: own });
  Object.defineProperties(response, properties);
  Object.assign(response, methods);
  const { method } = request;
  if (method === 'HEAD')
    Object.defineProperty(request, 'method', { configurable: true, get: () => (notesOf(response) ? 'GET' : method) });
  head.install();
}

/** The handler sends: what was written down becomes the head of its answer. */
function release(
  notes: ResponseRecorder,
  setHeader: (name: string, value: HeaderValue) => unknown,
  removeHeader: (name: string) => void,
): void {
  notes.released = true;
  for (const name of notes.removed) removeHeader(name);
  for (const [name, value] of notes.lines.values()) setHeader(name, value);
  notes.response.statusCode = notes.status;
  if (notes.reason !== undefined) notes.response.statusMessage = notes.reason;
}
