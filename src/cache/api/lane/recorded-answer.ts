import { type ServerResponse, STATUS_CODES } from 'node:http';
import { type PolicyName, policyNames } from '../../../policies/index.js';
import { type DurationSeries, type EncodingPreference, memoize } from '../../../http/index.js';
import { member } from '../cache-status.js';
import { ageS } from '../candidate.js';
import { type Field } from './header-capture.js';
import { type Heads } from './heads.js';
import { applicationFields } from './known-headers.js';
import { flattenString } from './flatten-string.js';

export interface Recording {
  readonly status: number;
  readonly fields: readonly Field[];
  /** None for a 304. */
  readonly body: Buffer | undefined;
  readonly etag: string;
  /** Of the clients that get it. */
  readonly preference: EncodingPreference;
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
/** Up to here a body goes out with its head, as one text. */
const oneWriteBytes = 14_000;
/** Told anew each time. */
const ofTheMoment = /^(?:age|cache-status)$/i;

/** Whole numbers that count from then lie in their places for 24 days; V8 keeps others as objects. */
const beganAtMs = Math.floor(performance.timeOrigin);

/** Most answers begin alike, with the application's own fields: one text for all of them. */
const shared = memoize((text: string) => text);

/** By the seconds that are left. */
const statusLines = Object.fromEntries(
  policyNames.map((policy) => {
    const status = (ttlS: number) => member('api', { hit: true, level: 'l1', policy, ttlMs: ttlS * 1_000 });
    return [policy, memoize((ttlS: number) => `Cache-Status: ${status(ttlS)}\r\n`, 4_096)];
  }),
) as Record<PolicyName, (ttlS: number) => string>;

/** An answer that Nest once gave, to be given again: only its age and its remaining lifetime are told anew. */
export class RecordedAnswer {
  readonly status: number;
  readonly etag: string;
  readonly preference: EncodingPreference;
  /** In the list of those of the same entry. */
  next: RecordedAnswer | undefined;
  /** What it costs to keep. */
  readonly bytes: number;
  readonly #durations: Recording['durations'];
  /** Since {@link beganAtMs}. */
  readonly #bornMs: number;
  /** Status line and the application's fields, then the others: each with its line end. */
  readonly #beginning: string;
  #fields: string;
  /** A short body, a character for each byte; or a long one. */
  #text: string;
  readonly #long: Buffer | undefined;
  /** Fields, what Node says behind them, and a short body: one text, made when it is known what Node says. */
  #rest: string | undefined;

  constructor({ status, fields, body, etag, bornAtMs, durations, preference }: Recording) {
    const lasting = fields.filter(([name]) => !ofTheMoment.test(name));
    const own = lasting.findIndex(([name]) => !applicationFields.has(name.toLowerCase()));
    this.status = status;
    this.etag = etag;
    this.preference = preference;
    this.next = undefined;
    this.#durations = durations;
    this.#bornMs = Math.floor(bornAtMs - beganAtMs);
    this.#beginning = shared(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${text(lasting.slice(0, own))}`);
    this.#fields = text(lasting.slice(own));
    const isLong = body && body.length > oneWriteBytes;
    this.#text = isLong ? '' : (body?.toString('latin1') ?? '');
    this.#long = isLong ? body : undefined;
    this.#rest = undefined;
    this.bytes = this.#fields.length + (body?.length ?? 0) + overheadBytes;
  }

  get isNotModified(): boolean {
    return this.status === 304;
  }

  durationsOf(method: 'GET' | 'HEAD'): DurationSeries {
    return this.#durations[method];
  }

  /** Writes the whole answer. */
  write(heads: Heads, res: ServerResponse, method: 'GET' | 'HEAD', { wallMs, ttlMs, policy }: Circumstances): void {
    const age = Math.floor(ageS(this.#bornMs + beganAtMs, wallMs));
    const status = statusLines[policy](Math.floor(ttlMs / 1_000));
    const beginning = `${this.#beginning}Age: ${age}\r\n${status}`;
    const ending = heads.endingFor(res);
    const hasBody = method === 'GET';
    if (ending === undefined) {
      heads.make(res, this.status, `${beginning}${this.#fields}`);
      res.end(hasBody ? (this.#long ?? this.#text) : undefined, 'latin1');
    } else {
      this.#rest ??= this.#join(ending);
      heads.set(res, this.status, `${beginning}${hasBody ? this.#rest : `${this.#fields}${ending}`}`);
      res.end(hasBody ? this.#long : undefined);
    }
  }

  /** What it is made of is a part of it from then on: nothing is kept twice. */
  #join(ending: string): string {
    const rest = flattenString(`${this.#fields}${ending}${this.#text}`);
    this.#fields = rest.slice(0, this.#fields.length);
    this.#text = rest.slice(rest.length - this.#text.length);
    return rest;
  }
}

const text = (fields: readonly Field[]) => fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
