import { validateHeaderName, validateHeaderValue } from 'node:http';
import { type Request, type Response } from 'express';
import { WorkStorage } from '../engine/work-storage.js';
import { type HeaderLine } from './semantics/freshen.js';
import { type Validators } from './semantics/validators.js';
import { type SentHead, WatchedHead } from './sent-head.js';
import { type HandlerAnswer, type StatusAndHeaders } from './stored-response.js';

type HeaderValue = number | string | readonly string[];

/**
 * Fields that `@Header()` or middleware may set before the handler runs, and that belong to its answer all the same: they
 * decide whether it may be stored. A response that sets a cookie may show what belongs to that cookie.
 */
const inheritableHeaders =
  'cache-control cdn-cache-control content-type etag expires last-modified set-cookie vary'.split(' ');

/** Records the status and header fields that one run of a handler sets; nothing is sent. */
class ResponseRecorder {
  readonly removed = new Set<string>();
  /** The handler sends the answer itself: nothing more is recorded. */
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
 * The validators of the stored response, for the handler that runs: it may answer 304 (`res.status(304)`) instead of making
 * the same answer again (RFC 9111, 4.3). Undefined if nothing is stored.
 */
export const heldValidators = (): Validators | undefined => storage.current?.held;

/** What a handler threw, with the status and header fields that it had set: they are sent with the error, as without a cache. */
export class HandlerError extends Error {
  constructor(
    cause: unknown,
    readonly said: StatusAndHeaders,
  ) {
    super('a handler failed', { cause });
  }
}

/** Runs a handler and returns its answer; undefined if it sent the answer itself. @throws {HandlerError} */
export type ResponseCapture = (
  held: Validators | undefined,
  work: () => Promise<unknown>,
) => Promise<HandlerAnswer | undefined>;

/**
 * Captures the answer of the handlers that run with a response object. The status and the header fields that they set
 * become part of the answer, which may be sent to several clients, later, or (in a background renewal) to none. Whatever
 * other code does with the object reaches the client as usual.
 *
 * Handlers see a HEAD request as a GET, so their answer can be stored for both.
 * @param response as it is when the route is entered
 */
export function captureResponse(request: Request, response: Response): ResponseCapture & { readonly head: SentHead } {
  const { statusCode } = response;
  const head = new WatchedHead(response);
  const already = inheritableHeaders.flatMap((name) => {
    const value = response.getHeader(name);
    return value === undefined ? [] : [[name, [name, value] as const] as const];
  });
  const json = jsonOf(response);
  const capture: ResponseCapture = async (held, work) => {
    install(request, response, head);
    const recorder = new ResponseRecorder(response, statusCode, held, new Map(already));
    try {
      const value = await storage.run(recorder, work);
      return recorder.released ? undefined : { ...saidIn(recorder), value, json };
    } catch (error) {
      throw recorder.released ? error : new HandlerError(error, saidIn(recorder));
    }
  };
  return Object.assign(capture, { head });
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

/** What a response object was before it was captured. */
interface Before {
  readonly setHeader: (name: string, value: HeaderValue) => Response;
  readonly getHeader: Response['getHeader'];
  readonly removeHeader: (name: string) => void;
  readonly writeHead: (...args: unknown[]) => Response;
  readonly head: WatchedHead;
  status: number;
  reason: string | undefined;
}

const before = Symbol('before it was captured');

type CapturedResponse = Response & { readonly [before]: Before };

const recorderOf = (response: Response): ResponseRecorder | undefined => {
  const recorder = storage.current;
  return recorder?.response === response && !recorder.released ? recorder : undefined;
};

/** One set for all responses: were they made for each, V8 could share nothing about the shape of response objects. */
const properties: PropertyDescriptorMap & ThisType<CapturedResponse> = {
  statusCode: {
    configurable: true,
    get() {
      return recorderOf(this)?.status ?? this[before].status;
    },
    set(value: number) {
      (recorderOf(this) ?? this[before]).status = value;
    },
  },
  statusMessage: {
    configurable: true,
    get() {
      return (recorderOf(this) ?? this[before]).reason;
    },
    set(value: string) {
      (recorderOf(this) ?? this[before]).reason = value;
    },
  },
};

const methods: object & ThisType<CapturedResponse> = {
  setHeader(name: string, value: HeaderValue) {
    const recorder = recorderOf(this);
    if (!recorder) return this[before].setHeader(name, value);
    validateHeaderName(name);
    validateHeaderValue(name, value as string);
    recorder.removed.delete(name.toLowerCase());
    recorder.lines.set(name.toLowerCase(), [name, value]);
    return this;
  },
  appendHeader(name: string, value: string | readonly string[]) {
    const existing = this.getHeader(name);
    return this.setHeader(name, existing === undefined ? value : [existing, value].flat().map(String));
  },
  getHeader(name: string) {
    const recorder = recorderOf(this);
    const key = name.toLowerCase();
    const { getHeader } = this[before];
    if (!recorder) return getHeader(name);
    const written = recorder.lines.get(key)?.[1];
    return written !== undefined || recorder.removed.has(key) || inheritableHeaders.includes(key)
      ? written
      : getHeader(name);
  },
  hasHeader(name: string) {
    return this.getHeader(name) !== undefined;
  },
  removeHeader(name: string) {
    const recorder = recorderOf(this);
    if (!recorder) return this[before].removeHeader(name);
    recorder.removed.add(name.toLowerCase());
    recorder.lines.delete(name.toLowerCase());
  },
  writeHead(...args: unknown[]) {
    const { setHeader, removeHeader, writeHead, head } = this[before];
    const recorder = recorderOf(this);
    if (recorder) release(recorder, setHeader, removeHeader);
    const written = writeHead(...args);
    head.written();
    return written;
  },
};

/** Puts the capture in front of the methods of one response object. */
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
    Object.defineProperty(request, 'method', {
      configurable: true,
      get: () => (recorderOf(response) ? 'GET' : method),
    });
  head.install();
}

/** The handler sends: what was written down becomes the head of its answer. */
function release(
  recorder: ResponseRecorder,
  setHeader: (name: string, value: HeaderValue) => unknown,
  removeHeader: (name: string) => void,
): void {
  recorder.released = true;
  for (const name of recorder.removed) removeHeader(name);
  for (const [name, value] of recorder.lines.values()) setHeader(name, value);
  recorder.response.statusCode = recorder.status;
  if (recorder.reason !== undefined) recorder.response.statusMessage = recorder.reason;
}
