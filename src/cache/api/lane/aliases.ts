import { LRUCache } from 'lru-cache';

/** Longer URLs have no alias: they are read by their route each time. */
const maxUrlLength = 2_048;
const maxBytes = 8 * 1024 * 1024;
/** What a map slot costs besides its texts. */
const overheadBytes = 200;

/**
 * Which key a URL has, as it was sent. That never changes, so that nothing here can be stale; what is seldom asked for goes
 * when there are too many spellings.
 */
export class Aliases {
  readonly #keys = new LRUCache<string, string>({
    maxSize: maxBytes,
    sizeCalculation: (key, url) => 2 * (key.length + url.length) + overheadBytes,
  });

  keyOf(url: string): string | undefined {
    return this.#keys.get(url);
  }

  learn(url: string, key: string): void {
    if (url.length <= maxUrlLength && url.startsWith('/') && !this.#keys.has(url)) this.#keys.set(url, key);
  }
}
