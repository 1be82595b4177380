import fc from 'fast-check';
import { UrlTable } from '../../src/cache/api/lane/url-table.js';

class Page {
  readonly #urls = new Set<string>();

  constructor(...urls: string[]) {
    for (const url of urls) this.#urls.add(url);
  }

  isAt(url: string): boolean {
    return this.#urls.has(url);
  }
}

const urls = (count: number) => Array.from({ length: count }, (_, at) => `/items/${at}?limit=${at % 7}`);

describe('the table of URLs', () => {
  // All hashes there are, few of them, and one for all: chains that wrap around the end, and holes in their midst.
  it.each([
    ['its own', undefined],
    ['few, at the end of the table', (url: string) => 60 + (Number(url.split('/')[1]) % 5)],
    ['negative ones', (url: string) => -1 - (Number(url.split('/')[1]) % 5)],
  ])('finds what a Map finds, whatever came and went (hashes: %s)', (_, hashOf) => {
    const step = fc.record({ of: fc.integer({ min: 0, max: 40 }), comes: fc.boolean() });
    const property = fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const table = new UrlTable<Page>(hashOf);
      const map = new Map<string, Page>();
      for (const { of, comes } of steps) {
        const url = `/${of}`;
        if (comes) {
          if (map.has(url)) table.delete(url);
          const page = new Page(url);
          table.add(url, page);
          map.set(url, page);
        } else {
          table.delete(url);
          map.delete(url);
        }
        for (let at = 0; at <= 40; at += 1) expect(table.get(`/${at}`)).toBe(map.get(`/${at}`));
        expect(table.size).toBe(map.size);
      }
    });
    fc.assert(property, { numRuns: 60 });
  });

  it('grows with what it holds, and finds all of it', () => {
    const table = new UrlTable<Page>();
    const all = urls(50_000);
    const pages = all.map((url) => new Page(url));
    for (const [at, url] of all.entries()) table.add(url, pages[at]!);
    expect(table.size).toBe(all.length);
    expect(all.every((url, at) => table.get(url) === pages[at])).toBe(true);
    for (const url of all.slice(1)) table.delete(url);
    expect(table.size).toBe(1);
    expect([table.get(all[0]!), table.get(all[1]!)]).toEqual([pages[0], undefined]);
  });

  it('finds one page under each of its URLs, and nothing under another one with the same hash', () => {
    const table = new UrlTable<Page>(() => 7);
    const page = new Page('/a', '/b');
    table.add('/a', page);
    table.add('/b', page);
    expect([table.get('/a'), table.get('/b'), table.get('/c')]).toEqual([page, page, undefined]);
    table.delete('/c');
    table.delete('/a');
    expect([table.get('/b'), table.size]).toEqual([page, 1]);
  });

  it('keeps no more URLs of one hash than a look reaches, and looks no further', () => {
    const isAt = jest.fn(() => false);
    const table = new UrlTable(() => 7);
    for (let count = 0; count < 1_000; count += 1) table.add('/crafted', { isAt });
    expect(table.size).toBe(64);
    expect(table.get('/unknown')).toBeUndefined();
    expect(isAt).toHaveBeenCalledTimes(64);
  });
});
