import { type EncodingPreference } from '../../../http/index.js';
import { type RecordedAnswer } from './recorded-answer.js';

/** The answers that one client preference has had from one entry. */
interface Slot {
  /** Of the representation that this preference chooses. */
  readonly etag: string;
  full?: RecordedAnswer;
  notModified?: RecordedAnswer;
}

/** What hangs on an entry of L1: the answers that were made of it, by what the client likes. */
export class RecordedAnswers {
  /** Whose policies say whether the entry may be served. */
  readonly entities: readonly string[];
  readonly #slots: (Slot | undefined)[] = [];
  #bytes = 0;

  constructor(entities: readonly string[]) {
    this.entities = [...new Set(entities)];
  }

  get bytes(): number {
    return this.#bytes;
  }

  slot({ id }: EncodingPreference): Slot | undefined {
    return this.#slots[id];
  }

  add({ id }: EncodingPreference, kind: 'full' | 'notModified', answer: RecordedAnswer): void {
    const known = this.#slots[id];
    const slot = known?.etag === answer.etag ? known : (this.#slots[id] = { etag: answer.etag });
    if (slot[kind]) return;
    slot[kind] = answer;
    this.#bytes += answer.bytes;
  }
}
