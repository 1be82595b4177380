import { type ServerResponse } from 'node:http';
import { type PolicyName } from '../../../config/index.js';
import { type DurationSeries } from '../../../http/index.js';
import { member } from '../cache-status.js';
import { ageSeconds } from '../stored-response.js';

/** Names and values in turn, as `writeHead` takes them. */
export type HeaderList = string[];

export interface Recording {
  readonly status: number;
  readonly headers: HeaderList;
  /** None for a 304. */
  readonly body: Buffer | undefined;
  readonly etag: string;
  /** Wall clock of its making, in ms. */
  readonly madeAtMs: number;
  readonly durations: Readonly<Record<'GET' | 'HEAD', DurationSeries>>;
}

/** What the moment has to say. */
export interface Moment {
  readonly wallMs: number;
  readonly ttlMs: number;
  readonly policy: PolicyName;
}

const listBytes = 1_000;

/** An answer that Nest once gave, to be given again: only its age and its remaining lifetime are told anew. */
export class RecordedAnswer {
  readonly #ageAt: number;
  readonly #statusAt: number;
  #age = -1;
  #ttl = Number.NaN;
  #policy: PolicyName | undefined;

  /** @throws when the headers name no age or no cache status */
  constructor(private readonly recording: Recording) {
    const names = recording.headers.map((text, at) => (at % 2 === 0 ? text.toLowerCase() : ''));
    this.#ageAt = names.indexOf('age') + 1;
    this.#statusAt = names.indexOf('cache-status') + 1;
    if (this.#ageAt === 0 || this.#statusAt === 0) throw new Error('an answer of the cache tells its age and status');
  }

  get etag(): string {
    return this.recording.etag;
  }

  get bytes(): number {
    return (this.recording.body?.length ?? 0) + listBytes;
  }

  durationsOf(method: 'GET' | 'HEAD'): DurationSeries {
    return this.recording.durations[method];
  }

  /** Writes the whole answer. Texts of the same second are not made again. */
  write(res: ServerResponse, method: 'GET' | 'HEAD', { wallMs, ttlMs, policy }: Moment): void {
    const { status, headers, body, madeAtMs } = this.recording;
    const age = ageSeconds({ madeAtMs }, wallMs);
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
    if (body && method === 'GET') res.end(body);
    else res.end();
  }
}
