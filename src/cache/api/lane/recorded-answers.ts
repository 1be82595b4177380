import { type EncodingPreference, memoize } from '../../../http/index.js';
import { type Attachment, type Servable, type StoredEntry } from '../../levels/l1/stored-entry.js';
import { entitiesOf } from '../candidate.js';
import { names } from '../semantics/validators.js';
import { flattenString } from './flatten-string.js';
import { type LaneRequest } from './lane-request.js';
import { type RecordedAnswer } from './recorded-answer.js';
import { type Located, type UrlTable } from './url-table.js';

/** An entry is found under so many spellings of its URL, the latest ones; all others are Nest's to read each time. */
const maxUrls = 8;
/** What a URL costs besides its text. */
const urlOverheadBytes = 100;

/** One list for all entries that are made of the same entities. */
const sharedList = memoize((names: string): readonly string[] => (names === '' ? [] : names.split(',')));

/**
 * What hangs on an entry of L1: the answers that were made of it, by what the client likes, and the URLs, as they were sent,
 * under which the lane finds them. All of it goes with the entry.
 *
 * What says whether the entry may be served never changes; it is kept here, too: of 10,000 entries asked for in turn, each
 * that the lane has to look up costs it as much as all that it finds there.
 */
export class RecordedAnswers implements Attachment, Located, Servable {
  readonly key: string;
  readonly term: Servable['term'];
  readonly blindSince: Servable['blindSince'];
  readonly freshUntilMs: number;
  usedIn: number;
  /** Whose policies say whether the entry may be served. */
  readonly entities: readonly string[];
  /** The latest one, which leads to the others: there are few. */
  #first: RecordedAnswer | undefined;
  /** The latest one, within reach: most entries are asked for in one way. */
  #url = '';
  readonly #urls: string[] = [];
  #bytes = 0;

  constructor(
    entry: StoredEntry,
    private readonly byUrl: UrlTable<RecordedAnswers>,
  ) {
    this.key = entry.key;
    this.term = entry.term;
    this.blindSince = entry.blindSince;
    this.freshUntilMs = entry.freshUntilMs;
    this.usedIn = entry.usedIn;
    this.entities = sharedList([...new Set(entitiesOf(entry))].join());
  }

  get bytes(): number {
    return this.#bytes;
  }

  answerTo({ preference, noneMatch }: LaneRequest): RecordedAnswer | undefined {
    const full = this.#find(preference, false);
    if (noneMatch === undefined) return full;
    const notModified = this.#find(preference, true);
    const etag = (full ?? notModified)?.etag;
    return etag !== undefined && (noneMatch.trim() === '*' || names(noneMatch, etag)) ? notModified : full;
  }

  add(answer: RecordedAnswer): void {
    const { preference, etag, isNotModified } = answer;
    this.#drop(this.#find(preference, isNotModified));
    const other = this.#find(preference, !isNotModified);
    // Another tag is of another representation, which this preference chooses from now on.
    if (other?.etag !== etag) this.#drop(other);
    answer.next = this.#first;
    this.#first = answer;
    this.#bytes += answer.bytes;
  }

  #find(preference: EncodingPreference, isNotModified: boolean): RecordedAnswer | undefined {
    let answer = this.#first;
    while (answer && (answer.preference !== preference || answer.isNotModified !== isNotModified)) answer = answer.next;
    return answer;
  }

  #drop(answer: RecordedAnswer | undefined): void {
    if (!answer) return;
    this.#bytes -= answer.bytes;
    if (this.#first === answer) this.#first = answer.next;
    for (let at = this.#first; at; at = at.next) if (at.next === answer) at.next = answer.next;
  }

  /** From now on it is found under this URL, too; too many make the oldest one unknown. */
  isAskedAs(url: string): void {
    if (this.isAt(url)) return;
    this.#url = flattenString(url);
    this.#urls.push(this.#url);
    this.byUrl.add(url, this);
    this.#bytes += bytesOf(url);
    const oldest = this.#urls.length > maxUrls ? this.#urls[0] : undefined;
    if (oldest === undefined) return;
    this.byUrl.delete(oldest);
    this.#urls.shift();
    this.#bytes -= bytesOf(oldest);
  }

  isAt(url: string): boolean {
    return url === this.#url || this.#urls.includes(url);
  }

  gone(): void {
    for (const url of this.#urls) this.byUrl.delete(url);
  }
}

const bytesOf = (url: string) => url.length + urlOverheadBytes;
