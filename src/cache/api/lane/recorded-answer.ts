import { type ServerResponse, STATUS_CODES } from 'node:http';
import { type PolicyName, policyNames } from '../../../config/index.js';
import { type DurationSeries, remembered } from '../../../http/index.js';
import { member } from '../cache-status.js';
import { ageS } from '../candidate.js';
import { type Field } from './header-capture.js';
import { type Heads } from './heads.js';
import { applicationFields } from './known-headers.js';

export interface Recording {
  readonly status: number;
  readonly fields: readonly Field[];
  /** None for a 304. */
  readonly body: Buffer | undefined;
  readonly etag: string;
  /** Its age counts from then: wall clock, in ms. */
  readonly bornAtMs: number;
  readonly durations: Readonly<Record<'GET' | 'HEAD', DurationSeries>>;
}

/** What the moment has to say. */
export interface Circumstances {
  readonly wallMs: number;
  readonly ttlMs: number;
  readonly policy: PolicyName;
}

/** What an answer costs to keep besides its texts. */
const overheadBytes = 500;
/** Up to here a body is kept as text, a character for each byte, and goes out with its head. */
const oneWriteBytes = 14_000;
/** Told anew each time. */
const ofTheMoment = /^(?:age|cache-status)$/i;

/** Most answers begin alike, with the application's own fields: one text for all of them. */
const shared = remembered((text: string) => text);

/** By the seconds that are left. */
const statusLines = Object.fromEntries(
  policyNames.map((policy) => {
    const status = (ttlS: number) => member('api', { hit: true, level: 'l1', policy, ttlMs: ttlS * 1_000 });
    return [policy, remembered((ttlS: number) => `Cache-Status: ${status(ttlS)}\r\n`, 4_096)];
  }),
) as Record<PolicyName, (ttlS: number) => string>;

/** An answer that Nest once gave, to be given again: only its age and its remaining lifetime are told anew. */
export class RecordedAnswer {
  readonly status: number;
  readonly etag: string;
  /** What it costs to keep. */
  readonly bytes: number;
  readonly #durations: Recording['durations'];
  readonly #bornAtMs: number;
  /** Status line and the application's fields, then the others: each with its line end. */
  readonly #beginning: string;
  #fields: string;
  #body: string | Buffer | undefined;
  /** All that is the same each time, in one place: on the way of a hit every other place costs as much as a look in a table. */
  #rest: string | undefined;

  constructor({ status, fields, body, etag, bornAtMs, durations }: Recording) {
    const lasting = fields.filter(([name]) => !ofTheMoment.test(name));
    const own = lasting.findIndex(([name]) => !applicationFields.has(name.toLowerCase()));
    this.status = status;
    this.etag = etag;
    this.#durations = durations;
    this.#bornAtMs = bornAtMs;
    this.#beginning = shared(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${text(lasting.slice(0, own))}`);
    this.#fields = text(lasting.slice(own));
    this.#body = body && body.length <= oneWriteBytes ? body.toString('latin1') : body;
    this.bytes = this.#fields.length + (body?.length ?? 0) + overheadBytes;
  }

  durationsOf(method: 'GET' | 'HEAD'): DurationSeries {
    return this.#durations[method];
  }

  /** Writes the whole answer. */
  write(heads: Heads, res: ServerResponse, method: 'GET' | 'HEAD', { wallMs, ttlMs, policy }: Circumstances): void {
    const age = Math.floor(ageS(this.#bornAtMs, wallMs));
    const status = statusLines[policy](Math.floor(ttlMs / 1_000));
    const beginning = `${this.#beginning}Age: ${age}\r\n${status}`;
    const body = method === 'GET' ? this.#body : undefined;
    const ending = heads.endingFor(res);
    if (ending === undefined) {
      heads.make(res, this.status, `${beginning}${this.#fields}`);
      res.end(body, 'latin1');
    } else if (typeof body === 'string') {
      this.#rest ??= this.#join(ending, body);
      heads.set(res, this.status, `${beginning}${this.#rest}`);
      res.end();
    } else {
      heads.set(res, this.status, `${beginning}${this.#fields}${ending}`);
      res.end(body);
    }
  }

  /** What it is made of is a part of it from then on: nothing is kept twice. */
  #join(ending: string, body: string): string {
    const rest = inOnePlace(`${this.#fields}${ending}${body}`);
    this.#fields = rest.slice(0, this.#fields.length);
    this.#body = rest.slice(rest.length - body.length);
    return rest;
  }
}

const text = (fields: readonly Field[]) => fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');

/** A text that was put together is a tree of its parts until it is read, and goes on keeping them. */
const inOnePlace = (latin1: string) => Buffer.from(latin1, 'latin1').toString('latin1');
