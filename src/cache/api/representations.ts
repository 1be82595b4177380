import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { Settings } from '../../config/index.js';
import { type Encoding, encodingPreference, type Representation, tagOf } from '../../http/index.js';

/** Shorter answers fit one packet with their head: compressing them would save a client nothing. In UTF-16 code units. */
export const compressAbove = 2_048;
/** A variant that saves less than this share is not worth a client's time. */
const leastSaving = 0.1;
/** Of `CACHE_L1_MAX_BYTES`, and besides it. */
const shareOfL1 = 1 / 4;
/** Variants that wait to be made; beyond it, a request for one more goes without. */
const maxWaiting = 64;
/** What a map slot and a Buffer cost besides their bytes. */
const overheadBytes = 300;
/** Marks a variant that saves too little. */
const useless = Buffer.alloc(0);

type Coding = Exclude<Encoding, 'identity'>;

/** One answer as one client gets it. */
export interface Chosen {
  readonly encoding: Encoding;
  readonly body: string | Buffer;
  /** Of exactly these bytes. */
  readonly etag: string;
  /** Whether the same request would choose the same later: nothing that it would like better is still to be made. */
  readonly settled: boolean;
}

const compressors: Readonly<Record<Coding, (text: string) => Promise<Buffer>>> = {
  gzip: (text) => promisify(gzip)(text),
  br: (text) =>
    promisify(brotliCompress)(text, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 6, [constants.BROTLI_PARAM_SIZE_HINT]: text.length },
    }),
};

/**
 * The compressed variants of answers, each made once and in the background, for answers that are asked for again. They are
 * found by the entity tag of the plain bytes, a digest of them: a variant is right or absent, and cannot become stale.
 */
@Injectable()
export class Representations {
  readonly #variants: LRUCache<string, Buffer>;
  readonly #waiting = new Map<string, () => Promise<void>>();
  #working: Promise<void> | undefined;
  #made = 0;

  constructor(settings: Settings) {
    this.#variants = new LRUCache({
      maxSize: Math.ceil(settings.cacheL1MaxBytes * shareOfL1),
      sizeCalculation: ({ length }, key) => length + 2 * key.length + overheadBytes,
    });
  }

  /**
   * What a client with this `Accept-Encoding` gets now.
   * @param again the answer was there already: what is missing is worth making
   */
  choose(plain: Representation, acceptEncoding: string | undefined, again: boolean): Chosen {
    if (plain.body.length < compressAbove) return identity(plain, true);
    let settled = true;
    for (const encoding of encodingPreference(acceptEncoding).order) {
      if (encoding === 'identity') break;
      const body = this.#variants.get(nameOf(plain, encoding));
      if (body && body !== useless) return { encoding, body, etag: tagOf(plain, encoding), settled };
      if (body) continue;
      settled = false;
      if (again) this.#order(plain, encoding);
    }
    return identity(plain, settled);
  }

  /** Variants since the application began. */
  get made(): number {
    return this.#made;
  }

  /** Resolves once every variant that has been ordered is made. */
  async idle(): Promise<void> {
    while (this.#working) await this.#working;
  }

  #order(plain: Representation, encoding: Coding): void {
    const name = nameOf(plain, encoding);
    if (this.#waiting.size >= maxWaiting || this.#waiting.has(name)) return;
    this.#waiting.set(name, async () => {
      const made = await compressors[encoding](plain.body).catch(() => useless);
      const enough = made.length < Buffer.byteLength(plain.body) * (1 - leastSaving);
      this.#made += 1;
      this.#variants.set(name, enough ? made : useless);
    });
    this.#working ??= this.#work();
  }

  /** One after the other, on a thread of Node's pool: requests keep the rest. */
  async #work(): Promise<void> {
    for (const [name, make] of this.#waiting) {
      await make();
      this.#waiting.delete(name);
    }
    this.#working = undefined;
  }
}

const nameOf = ({ etag }: Representation, encoding: Coding) => `${encoding} ${etag}`;

const identity = ({ body, etag }: Representation, settled: boolean): Chosen => ({
  encoding: 'identity',
  body,
  etag,
  settled,
});
