import { type ServerResponse } from 'node:http';
import { type PolicyName } from '../../../config/index.js';
import { type DurationSeries } from '../../../http/index.js';
import { member } from '../cache-status.js';
import { ageS } from '../candidate.js';
import { type StoredResponse } from '../stored-response.js';

/** Names and values in turn, as `writeHead` takes them. */
export type HeaderList = string[];

export interface Recording {
  readonly status: number;
  readonly headers: HeaderList;
  /** None for a 304. */
  readonly body: Buffer | undefined;
  readonly etag: string;
  /** What it was made of: its age is told. */
  readonly stored: StoredResponse;
  readonly durations: Readonly<Record<'GET' | 'HEAD', DurationSeries>>;
}

/** What the moment has to say. */
export interface Circumstances {
  readonly wallMs: number;
  readonly ttlMs: number;
  readonly policy: PolicyName;
}

const listBytes = 1_000;
/** Up to here Node writes head and body with one system call if the body is text: each byte is then one character of it. */
const oneWriteBytes = 14_000;

/** An answer that Nest once gave, to be given again: only its age and its remaining lifetime are told anew. */
export class RecordedAnswer {
  readonly etag: string;
  /** What it costs to keep. */
  readonly bytes: number;
  readonly #head: Omit<Recording, 'body' | 'etag'>;
  readonly #body: string | Buffer | undefined;
  readonly #ageAt: number;
  readonly #statusAt: number;
  #age = -1;
  #ttl = Number.NaN;
  #policy: PolicyName | undefined;

  /** @throws when the headers name no age or no cache status */
  constructor({ body, etag, ...head }: Recording) {
    const names = head.headers.map((text, at) => (at % 2 === 0 ? text.toLowerCase() : ''));
    this.etag = etag;
    this.bytes = (body?.length ?? 0) + listBytes;
    this.#head = head;
    this.#body = body && body.length <= oneWriteBytes ? body.toString('latin1') : body;
    this.#ageAt = names.indexOf('age') + 1;
    this.#statusAt = names.indexOf('cache-status') + 1;
    if (this.#ageAt === 0 || this.#statusAt === 0) throw new Error('an answer of the cache tells its age and status');
  }

  durationsOf(method: 'GET' | 'HEAD'): DurationSeries {
    return this.#head.durations[method];
  }

  /** Writes the whole answer. Texts of the same second are not made again. */
  write(res: ServerResponse, method: 'GET' | 'HEAD', { wallMs, ttlMs, policy }: Circumstances): void {
    const { status, headers, stored } = this.#head;
    const age = Math.floor(ageS(stored, wallMs));
    if (age !== this.#age) {
      this.#age = age;
      headers[this.#ageAt] = String(age);
    }
    const ttl = Math.floor(ttlMs / 1000);
    if (ttl !== this.#ttl || policy !== this.#policy) {
      this.#ttl = ttl;
      this.#policy = policy;
      headers[this.#statusAt] = member('api', { hit: true, level: 'l1', policy, ttlMs });
    }
    res.writeHead(status, headers);
    if (this.#body !== undefined && method === 'GET') res.end(this.#body, 'latin1');
    else res.end();
  }
}
