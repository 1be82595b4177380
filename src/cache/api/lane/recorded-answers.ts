import fresh from 'fresh';
import { type EncodingPreference, remembered } from '../../../http/index.js';
import { type Attachment, type StoredEntry } from '../../levels/l1/stored-entry.js';
import { entitiesOf } from '../candidate.js';
import { type Question } from './question.js';
import { type RecordedAnswer } from './recorded-answer.js';

/** An entry is found under so many spellings of its URL, the latest ones; all others are Nest's to read each time. */
const maxUrls = 8;
/** What a URL costs besides its text. */
const urlOverheadBytes = 100;

/** One list for all entries that are made of the same entities. */
const sharedList = remembered((names: string): readonly string[] => (names === '' ? [] : names.split(',')));

/**
 * What hangs on an entry of L1: the answers that were made of it, by what the client likes, and the URLs, as they were sent,
 * under which the lane finds them. All of it goes with the entry.
 */
export class RecordedAnswers implements Attachment {
  /** Whose policies say whether the entry may be served. */
  readonly entities: readonly string[];
  /** By what the client likes. */
  readonly #full: (RecordedAnswer | undefined)[] = [];
  readonly #notModified: (RecordedAnswer | undefined)[] = [];
  readonly #urls: string[] = [];
  #bytes = 0;

  constructor(
    readonly entry: StoredEntry,
    private readonly byUrl: Map<string, RecordedAnswers>,
  ) {
    this.entities = sharedList([...new Set(entitiesOf(entry))].join());
  }

  get bytes(): number {
    return this.#bytes;
  }

  answerTo({ preference: { id }, noneMatch }: Question): RecordedAnswer | undefined {
    const full = this.#full[id];
    if (noneMatch === undefined) return full;
    const notModified = this.#notModified[id];
    const etag = (full ?? notModified)?.etag;
    return etag !== undefined && matches(noneMatch, etag) ? notModified : full;
  }

  add({ id }: EncodingPreference, answer: RecordedAnswer): void {
    const [own, other] = answer.status === 304 ? [this.#notModified, this.#full] : [this.#full, this.#notModified];
    // Another tag is of another representation, which this preference chooses from now on.
    if (other[id] && other[id].etag !== answer.etag) this.#drop(other, id);
    this.#drop(own, id);
    own[id] = answer;
    this.#bytes += answer.bytes;
  }

  #drop(answers: (RecordedAnswer | undefined)[], id: number): void {
    this.#bytes -= answers[id]?.bytes ?? 0;
    answers[id] = undefined;
  }

  /** From now on it is found under this URL, too; too many make the oldest one unknown. */
  isAskedAs(url: string): void {
    if (this.#urls.includes(url)) return;
    this.#urls.push(url);
    this.byUrl.set(url, this);
    this.#bytes += bytesOf(url);
    const oldest = this.#urls.length > maxUrls ? this.#urls.shift() : undefined;
    if (oldest === undefined) return;
    this.byUrl.delete(oldest);
    this.#bytes -= bytesOf(oldest);
  }

  gone(): void {
    for (const url of this.#urls) this.byUrl.delete(url);
  }
}

/** `If-None-Match` as Express evaluates it. */
const matches = (header: string, etag: string) => header === etag || fresh({ 'if-none-match': header }, { etag });

const bytesOf = (url: string) => 2 * url.length + urlOverheadBytes;
