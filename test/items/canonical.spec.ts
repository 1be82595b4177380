import fc from 'fast-check';
import { canonicalKey } from '../../src/cache/index.js';
import { listKey } from '../../src/items/canonical.js';

/** What Express makes of a query string. */
const keyOf = (text: string): string | undefined =>
  listKey({ params: {}, query: Object.fromEntries(new URLSearchParams(text)) });

const query = fc.record(
  {
    category: fc.stringMatching(/^[a-z0-9-]{1,20}$/),
    q: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => !text.includes('\0')),
    sort: fc.constantFrom('id', '-id', 'price', '-price', 'name', '-name'),
    limit: fc.integer({ min: 1, max: 100 }),
  },
  { requiredKeys: [] },
);
type Query = Readonly<Record<string, string | number>>;

/** One of the many ways to write a character in a URL. */
const spelled = (character: string, how: number): string => {
  const encoded = [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const plain = /^[a-zA-Z0-9-]$/.test(character) ? character : encoded;
  return [plain, encoded.toLowerCase(), encoded.toUpperCase()][how % 3]!;
};

/** The same question, written differently: order, percent signs, leading zeros, defaults said or not. */
function spelling(given: Query, salt: readonly number[]): string {
  const at = (n: number) => salt[n % salt.length] ?? 0;
  const said = { ...(at(0) % 2 ? { limit: 20, sort: 'id' } : {}), ...given };
  return Object.entries(said)
    .map(([name, value]) => [name, name === 'limit' ? '0'.repeat(at(1) % 5) + String(value) : String(value)] as const)
    .sort(([a], [b]) => at(a.length) - at(b.length + 1))
    .map(([name, value]) => `${name}=${[...value].map((each, n) => spelled(each, at(n + 2))).join('')}`)
    .join('&');
}

const salt = fc.array(fc.nat(100), { minLength: 8, maxLength: 8 });

describe('the key of a list', () => {
  it('is one for all spellings of one question', () => {
    fc.assert(
      fc.property(query, salt, salt, (given, one, other) => {
        const key = keyOf(spelling(given, one));
        expect(key).toBeDefined();
        expect(keyOf(spelling(given as Query, other))).toBe(key);
      }),
    );
  });

  it('is another one for another question', () => {
    const meaning = ({ limit = 20, sort = 'id', ...rest }: { limit?: number; sort?: string }) =>
      JSON.stringify(Object.entries({ limit, sort, ...rest }).sort());
    fc.assert(
      fc.property(query, query, salt, (one, other, how) => {
        const same = keyOf(spelling(one, how)) === keyOf(spelling(other, how));
        expect(same).toBe(meaning(one) === meaning(other));
      }),
    );
  });

  it('is none for what the route refuses: garbage makes no key', () => {
    const unknown = fc.tuple(
      fc.string({ minLength: 1 }).filter((name) => !/^(category|q|sort|limit|cursor)$/.test(name)),
      fc.string(),
    );
    fc.assert(
      fc.property(unknown, ([name, value]) => {
        expect(keyOf(new URLSearchParams([[name, value]]).toString())).toBeUndefined();
      }),
    );
    for (const text of ['limit=0', 'limit=101', 'limit=2.5', 'limit=', 'sort=x', 'category=A', `q=${'x'.repeat(101)}`, 'q=', `cursor=${'x'.repeat(2_049)}`])
      expect(keyOf(text)).toBeUndefined();
  }); // prettier-ignore

  it('is bounded', () => {
    const longest = keyOf(
      new URLSearchParams({ q: '\u{10FFFF}'.repeat(100), cursor: 'x'.repeat(2_048), category: 'a'.repeat(64) }).toString(),
    ); // prettier-ignore
    expect(longest!.length).toBeLessThanOrEqual(4_096);
  });
});

describe('a canonical key', () => {
  it('has its parameters in order, leaves defaults out, and cannot be forged by a value', () => {
    expect(canonicalKey('/things', {})).toBe('/things');
    expect(canonicalKey('/things', { b: 2, a: '1', c: undefined, d: 3 }, { d: 3 })).toBe('/things?a=1&b=2');
    expect(canonicalKey('/things', { a: '1&b=2' })).not.toBe(canonicalKey('/things', { a: '1', b: '2' }));
  });
});
